//! Searching an area: GEOSEARCH, GEOSEARCHSTORE.

use super::query::{self, Options, Store, place_of, radius_at};
use super::{CATEGORIES, GROUP, KEY, LATITUDE, LONGITUDE, READER, UNIT, is_there, place_at, unit_at};
use crate::area::Area;
use plinth_module::abi::bytes::Bytes;
use plinth_module::prelude::*;

pub(super) const COMMANDS: [Command; 2] = [GEOSEARCH, GEOSEARCHSTORE];

const FROM: Arg = Arg::group(
    ARG_ONE_OF,
    "from",
    &[
        Arg::new(ARG_STRING, "member").token("FROMMEMBER"),
        Arg::group(ARG_BLOCK, "fromlonlat", &[LONGITUDE, LATITUDE]).token("FROMLONLAT"),
    ],
);
const BY: Arg = Arg::group(
    ARG_ONE_OF,
    "by",
    &[
        Arg::group(ARG_BLOCK, "circle", &[Arg::new(ARG_DOUBLE, "radius").token("BYRADIUS"), UNIT]),
        Arg::group(
            ARG_BLOCK,
            "box",
            &[Arg::new(ARG_DOUBLE, "width").token("BYBOX"), Arg::new(ARG_DOUBLE, "height"), UNIT],
        ),
        Arg::group(
            ARG_BLOCK,
            "polygon",
            &[
                Arg::new(ARG_INTEGER, "num-vertices").token("BYPOLYGON"),
                Arg::group(ARG_BLOCK, "vertex", &[LONGITUDE, LATITUDE]).flags(ARG_MULTIPLE),
            ],
        ),
    ],
);
pub(super) const ORDER: Arg =
    Arg::group(ARG_ONE_OF, "order", &[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")]).flags(ARG_OPTIONAL);
const COUNT: Arg = Arg::group(
    ARG_BLOCK,
    "count-block",
    &[Arg::new(ARG_INTEGER, "count").token("COUNT"), Arg::word("any", "ANY").flags(ARG_OPTIONAL)],
)
.flags(ARG_OPTIONAL);
pub(super) const WITHCOORD: Arg = Arg::word("withcoord", "WITHCOORD").flags(ARG_OPTIONAL);
pub(super) const WITHDIST: Arg = Arg::word("withdist", "WITHDIST").flags(ARG_OPTIONAL);
pub(super) const WITHHASH: Arg = Arg::word("withhash", "WITHHASH").flags(ARG_OPTIONAL);

/// What a search takes.
pub(super) const COMPLEXITY: Bytes = text(
    "O(N+M*log(M)) where N is the number of members in the bounding box of the area, along the map's grid, and M \
     of those in the area; M*log(M) only where they are sorted",
);

const SEARCH_DOCS: Docs = Docs {
    since: text("6.2.0"),
    group: GROUP,
    complexity: COMPLEXITY,
    history: list(&[
        change("7.0.0", "Takes names of units in upper case."),
        change("9.0.0", "Valkey: takes `BYPOLYGON`, which stands for both a centre and a shape."),
    ]),
    ..Docs::NEW
};

const GEOSEARCH: Command = Command {
    name: text("geosearch"),
    arity: -7,
    docs: docs(&Docs {
        summary: text("Lists the members in a circle, a box, or a polygon."),
        args: list(&[KEY, FROM, BY, ORDER, COUNT, WITHCOORD, WITHDIST, WITHHASH]),
        ..SEARCH_DOCS
    }),
    run: run(geosearch),
    ..READER
};

const GEOSEARCHSTORE: Command = Command {
    name: text("geosearchstore"),
    arity: -8,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_OW | KEY_UPDATE, 1), KeySpec::at(KEY_RO | KEY_ACCESS, 2)]),
    docs: docs(&Docs {
        summary: text("Stores the members in a circle, a box, or a polygon."),
        args: list(&[
            Arg::key("destination", 0),
            Arg::key("source", 1),
            FROM,
            BY,
            ORDER,
            COUNT,
            Arg::word("storedist", "STOREDIST").flags(ARG_OPTIONAL),
        ]),
        ..SEARCH_DOCS
    }),
    run: run(geosearchstore),
    ..Command::NEW
};

fn geosearch(call: &mut Call<'_>) -> Result {
    search(call, 1)
}

fn geosearchstore(call: &mut Call<'_>) -> Result {
    search(call, 2)
}

/// What is around the centre.
enum Shape {
    Circle(f64),
    Box(f64, f64),
    Polygon(Vec<(f64, f64)>),
}

/// What is read so far.
#[derive(Default)]
struct Query {
    centre: Option<(f64, f64)>,
    from_member: bool,
    from_place: bool,
    shape: Option<Shape>,
    unit_m: f64,
    options: Options,
    by_distance: bool,
}

impl Query {
    /// Reads the option at an argument; returns how many arguments it has. Fails with `Syntax` for what
    /// is none, or does not go together.
    fn read(&mut self, call: &mut Call<'_>, at: usize, key: &[u8], exists: bool) -> Result<usize> {
        let known = self.options.read(call, at)?;
        if known > 0 {
            return Ok(known);
        }
        let left = call.args.len() - at - 1;
        let is_polygon = matches!(self.shape, Some(Shape::Polygon(_)));
        let is_circle = matches!(self.shape, Some(Shape::Circle(_)));
        let is_box = matches!(self.shape, Some(Shape::Box(..)));
        match call.args.bytes(at) {
            word if word.eq_ignore_ascii_case(b"frommember") && left >= 1 && !self.from_place && !is_polygon => {
                self.from_member = true;
                if exists {
                    self.centre = Some(place_of(call, key, call.args.bytes(at + 1))?);
                }
                Ok(2)
            }
            word if word.eq_ignore_ascii_case(b"fromlonlat") && left >= 2 && !self.from_member && !is_polygon => {
                self.from_place = true;
                self.centre = Some(place_at(call, at + 1)?);
                Ok(3)
            }
            word if word.eq_ignore_ascii_case(b"byradius") && left >= 2 && !is_box && !is_polygon => {
                let (radius_m, unit_m) = radius_at(call, at + 1)?;
                (self.shape, self.unit_m) = (Some(Shape::Circle(radius_m)), unit_m);
                Ok(3)
            }
            word if word.eq_ignore_ascii_case(b"bybox") && left >= 3 && !is_circle && !is_polygon => {
                let (width_m, height_m, unit_m) = box_at(call, at + 1)?;
                (self.shape, self.unit_m) = (Some(Shape::Box(width_m, height_m)), unit_m);
                Ok(4)
            }
            word if word.eq_ignore_ascii_case(b"bypolygon") && left >= 1 && !is_circle && !is_box => {
                if self.from_member || self.from_place {
                    return Err(Error::Syntax);
                }
                let vertices = vertices_at(call, at + 1)?;
                let count = vertices.len();
                (self.shape, self.unit_m) = (Some(Shape::Polygon(vertices)), 1.0);
                Ok(2 + 2 * count)
            }
            _ => Err(Error::Syntax),
        }
    }
}

/// Width and height at two arguments in metres, and the metres of the unit behind them.
fn box_at(call: &mut Call<'_>, index: usize) -> Result<(f64, f64, f64)> {
    let Ok(width) = call.args.float(index) else { return Err(call.reply.error("ERR need numeric width")) };
    let Ok(height) = call.args.float(index + 1) else { return Err(call.reply.error("ERR need numeric height")) };
    if width < 0.0 || height < 0.0 {
        return Err(call.reply.error("ERR height or width cannot be negative"));
    }
    let unit_m = unit_at(call, index + 2)?;
    Ok((width * unit_m, height * unit_m, unit_m))
}

/// The vertices behind their number, which is at an argument.
fn vertices_at(call: &mut Call<'_>, index: usize) -> Result<Vec<(f64, f64)>> {
    let count = call.args.integer(index).ok().filter(|count| *count <= i64::from(i32::MAX));
    let Some(count) = count else { return Err(call.reply.error("ERR invalid number of vertices")) };
    let left = call.args.len() - index - 1;
    let count = usize::try_from(count).unwrap_or(0);
    if count < 3 || count > left / 2 {
        return Err(call.reply.error("ERR GEOSEARCH BYPOLYGON must have at least 3 vertices"));
    }
    (0..count).map(|vertex| place_at(call, index + 1 + 2 * vertex)).collect()
}

/// Searches the key at an argument, 2 if the key at the first is to take what is found.
fn search(call: &mut Call<'_>, key_at: usize) -> Result {
    let (key, stores) = (call.args.bytes(key_at), key_at == 2);
    let exists = is_there(call, key)?;
    let mut query = Query::default();
    let mut at = key_at + 1;
    while at < call.args.len() {
        if stores && call.args.word(at, "storedist") {
            query.by_distance = true;
            at += 1;
        } else {
            at += query.read(call, at, key, exists)?;
        }
    }
    if stores && query.options.tells_more() {
        return Err(call
            .reply
            .error("ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options"));
    }
    let name = String::from_utf8_lossy(call.args.bytes(0));
    let is_polygon = matches!(query.shape, Some(Shape::Polygon(_)));
    if !(query.from_member || query.from_place || is_polygon) {
        return Err(call
            .reply
            .error(format!("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {name}")));
    }
    let Some(shape) = query.shape else {
        return Err(call.reply.error(format!("ERR exactly one of BYRADIUS and BYBOX can be specified for {name}")));
    };
    query.options.check(call)?;
    let (lon, lat) = query.centre.unwrap_or_default();
    let area = match shape {
        Shape::Circle(radius_m) => Area::circle(lon, lat, radius_m),
        Shape::Box(width_m, height_m) => Area::boxed(lon, lat, width_m, height_m),
        Shape::Polygon(vertices) => Area::polygon(vertices),
    };
    let store = stores.then(|| Store { key: call.args.bytes(1), by_distance: query.by_distance });
    query::run(call, key, &area, query.unit_m, &query.options, store.map(|store| (store, "geosearchstore")))
}
