//! The log of edits by itself; with a host, see `tests/sequence.rs`.

use super::*;

/// A log of a value of which `frontier` elements were handed out.
fn log(frontier: usize) -> Edits {
    let mut edits = Edits::NEW;
    edits.begin();
    edits.advance(frontier);
    edits
}

fn rest(edits: &mut Edits) -> Vec<Edit> {
    std::iter::from_fn(|| edits.take_some(usize::MAX)).collect()
}

fn put(at: usize, is_replacement: bool) -> Edit {
    Edit::Put { at, is_replacement, value: (*b"x").into() }
}

#[test]
fn nothing_is_noted_before_it_is_asked_for_or_behind_the_frontier() {
    let mut edits = Edits::NEW;
    edits.note_insert(0, b"x");
    edits.note_remove(0, 1);
    assert_eq!((edits.is_on(), edits.len(), edits.memory()), (false, 0, 0));
    let mut edits = log(10);
    edits.note_insert(11, b"x");
    edits.note_set(10, b"x");
    edits.note_remove(10, 5);
    assert_eq!((edits.len(), edits.frontier()), (0, 10));
    edits.note_insert(10, b"x");
    edits.note_set(10, b"x");
    edits.note_remove(9, 5);
    assert_eq!(edits.frontier(), 9);
    assert_eq!(rest(&mut edits), [put(10, false), put(10, true), Edit::Remove { at: 9, count: 2 }]);
}

#[test]
fn elements_that_go_one_after_the_other_are_one_edit() {
    let mut edits = log(100);
    for _ in 0..20 {
        edits.note_remove(0, 1);
    }
    for last in (60..80).rev() {
        edits.note_remove(last, 1);
    }
    edits.note_insert(0, b"x");
    edits.note_remove(0, 0);
    edits.note_remove(0, 1);
    let removed = |at, count| Edit::Remove { at, count };
    assert_eq!(rest(&mut edits), [removed(0, 20), removed(60, 20), put(0, false), removed(0, 1)]);
    assert_eq!(edits.frontier(), 60);
}

#[test]
fn a_long_removal_goes_in_parts_from_the_end_that_it_is_at() {
    let mut edits = log(100);
    edits.note_remove(90, 10);
    edits.note_insert(0, b"x");
    edits.note_remove(0, 10);
    let parts: Vec<Edit> = std::iter::from_fn(|| edits.take_some(4)).collect();
    let removed = |at, count| Edit::Remove { at, count };
    let behind = [removed(96, 4), removed(92, 4), removed(90, 2)];
    let before = [removed(0, 4), removed(0, 4), removed(0, 2)];
    assert_eq!(parts, [&behind[..], &[put(0, false)], &before].concat());
}

#[test]
fn more_edits_than_are_worth_it_are_forgotten() {
    let mut edits = log(EDITS_MAX);
    (0..EDITS_MAX * 2).for_each(|_| edits.note_set(7, b"a value of some bytes"));
    assert_eq!((edits.is_lost(), edits.len()), (false, EDITS_MAX * 2));
    edits.note_set(7, b"one too many");
    assert!(edits.is_lost() && edits.memory() < 1000, "{}", edits.memory());
    edits.note_insert(0, b"and nothing more");
    assert_eq!((edits.len(), edits.take_some(1)), (0, None));
}

#[test]
fn a_place_that_is_none_is_refused() {
    assert_eq!(decode(&encode(END, 0), 7), Ok((7, 0)));
    assert_eq!(decode(&encode(3, 4), 7), Ok((3, 4)));
    for (at, count) in [(3, 5), (8, 0), (END, 1), (END - 1, 2), (0, usize::MAX)] {
        assert_eq!(decode(&encode(at, count), 7), Err(Error::BadData), "{at} {count}");
    }
    assert_eq!(decode(&[0; 8], 7), Err(Error::BadData));
}
