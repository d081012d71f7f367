//! Tables of figures: one row a workload, one column a server, and a verdict.
//!
//! They print as Markdown with aligned columns, so that a terminal and a file show the same.

use std::fmt::Write;

use super::figure::Figure;

/// One figure, or why there is none.
pub(crate) enum Cell {
    Measured(Figure),
    Absent(String),
}

impl Cell {
    /// The cell of some runs' samples.
    pub(crate) fn of(samples: &[f64]) -> Cell {
        Figure::of(samples).map_or_else(|| Cell::Absent("no runs".to_owned()), Cell::Measured)
    }

    fn print(&self, decimals: usize) -> String {
        match self {
            Cell::Absent(_) => "n/a".to_owned(),
            Cell::Measured(figure) if figure.low == figure.high => number(figure.median, decimals),
            Cell::Measured(figure) => {
                format!("{} ±{:.0}%", number(figure.median, decimals), figure.spread() * 100.0)
            }
        }
    }

    fn median(&self) -> Option<f64> {
        match self {
            Cell::Measured(figure) => Some(figure.median),
            Cell::Absent(_) => None,
        }
    }
}

/// How near its must a row's floor may lie before the must is eased.
const FLOOR_MARGIN: f64 = 0.05;
/// Then a row's must is so many times the floor's ratio.
const FLOOR_FACTOR: f64 = 1.25;

/// What a row is held to. `goal` is what one hopes for, `must` what one insists on.
#[derive(Clone, Copy)]
pub(crate) enum Bar {
    /// The first column's share of the best peer's figure, at most.
    Ratio { must: f64, goal: f64 },
    /// The second column's share of the first's, at least.
    Kept { must: f64, goal: f64 },
    /// The first column's figure itself, at most.
    Own { must: f64, goal: f64 },
    /// Nothing: the row is there to be read.
    Open,
    /// Nothing, and the columns are no servers of which one could be better.
    Apart,
}

/// One workload's figures; the measured server's cell is the first.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) cells: Vec<Cell>,
    pub(crate) bar: Bar,
    /// What a loop that is no server takes for the same traffic, where that was measured.
    pub(crate) floor: Option<Cell>,
    /// Error replies that the servers gave while the row was measured, or `None` if unknown.
    pub(crate) errors: Option<u64>,
}

/// Rows of one kind.
pub(crate) struct Table {
    pub(crate) title: String,
    /// How the figures came about, in a sentence or two.
    pub(crate) method: String,
    pub(crate) columns: Vec<String>,
    pub(crate) decimals: usize,
    pub(crate) rows: Vec<Row>,
    pub(crate) notes: Vec<String>,
}

/// How a row stands against its bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Goal,
    Pass,
    Fail,
    /// There is a bar but nothing to hold against it.
    Unknown,
    None,
}

impl Verdict {
    fn text(self) -> &'static str {
        match self {
            Verdict::Goal => "pass (goal)",
            Verdict::Pass => "pass",
            Verdict::Fail => "FAIL",
            Verdict::Unknown => "n/a",
            Verdict::None => "",
        }
    }
}

impl Row {
    fn best_peer(&self) -> Option<f64> {
        self.cells.iter().skip(1).filter_map(Cell::median).min_by(f64::total_cmp)
    }

    fn ratio(&self) -> Option<f64> {
        let (own, peer) = (self.cells.first()?.median()?, self.best_peer()?);
        let (part, whole) = if matches!(self.bar, Bar::Kept { .. }) { (peer, own) } else { (own, peer) };
        (whole > 0.0).then(|| part / whole)
    }

    /// A ratio's must by the rule of the floor: where the bare loop alone is within
    /// [`FLOOR_MARGIN`] of it or above, nobody can be held to it, but to [`FLOOR_FACTOR`] times the
    /// loop's ratio.
    fn eased(&self, must: f64) -> f64 {
        let floor = self.floor.as_ref().and_then(Cell::median).zip(self.best_peer());
        match floor.map(|(floor, peer)| floor / peer).filter(|floor| *floor > must - FLOOR_MARGIN) {
            Some(floor) => must.max(FLOOR_FACTOR * floor),
            None => must,
        }
    }

    fn verdict(&self) -> Verdict {
        let (value, must, goal) = match self.bar {
            Bar::Open | Bar::Apart => return Verdict::None,
            Bar::Ratio { must, goal } => (self.ratio(), self.eased(must), goal),
            Bar::Own { must, goal } => (self.cells.first().and_then(Cell::median), must, goal),
            // Turned round, so that less is better here too.
            Bar::Kept { must, goal } => (self.ratio().map(|ratio| -ratio), -must, -goal),
        };
        match value {
            None => Verdict::Unknown,
            Some(value) if value <= goal => Verdict::Goal,
            Some(value) if value <= must => Verdict::Pass,
            Some(_) => Verdict::Fail,
        }
    }

    fn print(&self, decimals: usize, has_floor: bool) -> Vec<String> {
        let mut fields = vec![self.name.clone()];
        fields.extend(self.cells.iter().map(|cell| cell.print(decimals)));
        if has_floor {
            fields.push(self.floor.as_ref().map_or_else(String::new, |floor| floor.print(decimals)));
        }
        if matches!(self.bar, Bar::Apart) {
            fields.extend([String::new(), String::new()]);
        } else {
            fields.push(self.best_peer().map_or_else(|| "n/a".to_owned(), |best| number(best, decimals)));
            fields.push(self.ratio().map_or_else(|| "n/a".to_owned(), |ratio| format!("{ratio:.2}")));
        }
        let (must, goal) = match self.bar {
            Bar::Open | Bar::Apart => (String::new(), String::new()),
            Bar::Ratio { must, goal } if self.eased(must) > must => {
                (format!("{:.2} by the floor", self.eased(must)), format!("{goal:.2}"))
            }
            Bar::Ratio { must, goal } => (format!("{must:.2}"), format!("{goal:.2}")),
            Bar::Kept { must, goal } => (format!("≥ {must:.2}"), format!("≥ {goal:.2}")),
            Bar::Own { must, goal } => (own_bar(must), own_bar(goal)),
        };
        let errors = self.errors.map_or_else(|| "unknown".to_owned(), |errors| errors.to_string());
        fields.extend([must, goal, self.verdict().text().to_owned(), errors]);
        fields
    }
}

fn own_bar(limit: f64) -> String {
    format!("{limit} abs.")
}

/// A figure with thousands set apart by commas.
fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        let left = whole.len() - place;
        if place > 0 && left % 3 == 0 && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + fraction
}

impl Table {
    /// How many rows miss their must.
    pub(crate) fn missed(&self) -> usize {
        self.rows.iter().filter(|row| row.verdict() == Verdict::Fail).count()
    }

    /// The table with its title, method and notes.
    pub(crate) fn render(&self) -> String {
        let mut lines = vec![vec!["row".to_owned()]];
        lines[0].extend(self.columns.iter().cloned());
        let has_floor = self.rows.iter().any(|row| row.floor.is_some());
        lines[0].extend(has_floor.then(|| "bare loop".to_owned()));
        lines[0].extend(["best peer", "ratio", "must", "goal", "verdict", "errors"].map(str::to_owned));
        lines.extend(self.rows.iter().map(|row| row.print(self.decimals, has_floor)));
        let width =
            |column: usize| lines.iter().filter_map(|line| Some(line.get(column)?.chars().count())).max().unwrap_or(0);
        let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
        let mut out = format!("## {}\n\n{}\n\n", self.title, self.method);
        for (place, line) in lines.iter().enumerate() {
            for (column, (field, width)) in line.iter().zip(&widths).enumerate() {
                // Writing to a String does not fail.
                let _ = if column == 0 { write!(out, "| {field:<width$} ") } else { write!(out, "| {field:>width$} ") };
            }
            out.push_str("|\n");
            if place == 0 {
                for (column, width) in widths.iter().enumerate() {
                    let end = if column == 0 { '-' } else { ':' };
                    let _ = write!(out, "|{}{end}", "-".repeat(width + 1));
                }
                out.push_str("|\n");
            }
        }
        let notes = self.all_notes();
        if !notes.is_empty() {
            out.push('\n');
        }
        for note in notes {
            let _ = writeln!(out, "- {note}");
        }
        out
    }

    /// The table's notes and, once each, why cells are absent.
    fn all_notes(&self) -> Vec<String> {
        let mut notes = self.notes.clone();
        for row in &self.rows {
            for (cell, column) in row.cells.iter().zip(&self.columns) {
                if let Cell::Absent(reason) = cell {
                    let note = format!("{column}, {}: {}", row.name, reason.trim().replace('\n', "; "));
                    if !reason.is_empty() && !notes.contains(&note) {
                        notes.push(note);
                    }
                }
            }
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[f64], bar: Bar) -> Row {
        let cells = cells.iter().map(|&value| Cell::of(&[value])).collect();
        Row { name: "row".into(), cells, bar, floor: None, errors: Some(0) }
    }

    #[test]
    fn the_ratio_is_to_the_best_peer_and_not_to_the_first() {
        let row = row(&[50.0, 200.0, 100.0], Bar::Ratio { must: 0.55, goal: 0.4 });
        assert_eq!(row.ratio(), Some(0.5));
        assert_eq!(row.verdict(), Verdict::Pass);
    }

    #[test]
    fn a_floor_near_the_bar_eases_it() {
        let verdict = |own: f64, floor: f64| {
            let mut row = row(&[own, 100.0], Bar::Ratio { must: 0.5, goal: 0.4 });
            row.floor = Some(Cell::of(&[floor]));
            row.verdict()
        };
        assert_eq!(verdict(51.0, 44.0), Verdict::Fail);
        assert_eq!(verdict(57.0, 46.0), Verdict::Pass);
        assert_eq!(verdict(58.0, 46.0), Verdict::Fail);
        assert_eq!(verdict(75.0, 60.0), Verdict::Pass);
        assert_eq!(verdict(50.0, 30.0), Verdict::Pass);
    }

    #[test]
    fn what_must_be_kept_fails_below_its_must() {
        let bar = Bar::Kept { must: 0.97, goal: 0.99 };
        assert_eq!(row(&[100.0, 98.0], bar).verdict(), Verdict::Pass);
        assert_eq!(row(&[100.0, 96.0], bar).verdict(), Verdict::Fail);
        assert_eq!(row(&[100.0, 101.0], bar).verdict(), Verdict::Goal);
    }

    #[test]
    fn a_row_without_a_figure_neither_passes_nor_fails() {
        let mut row = row(&[1.0, 2.0], Bar::Ratio { must: 0.5, goal: 0.4 });
        row.cells[0] = Cell::Absent("unknown command".into());
        assert_eq!(row.verdict(), Verdict::Unknown);
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(number(1_234_567.0, 0), "1,234,567");
        assert_eq!(number(123.456, 1), "123.5");
        assert_eq!(number(-123.0, 0), "-123");
    }
}
