//! The tree: a list's interior, as nodes found by the number of an element.
//!
//! ```text
//!            [ 9,100 elements ]
//!           /         |        \
//!     [ 4,000 ]   [ 4,000 ]   [ 1,100 ]      branches: up to FANOUT trees of one depth
//!      /  |  \                  |    \
//!    n    n    n                n     n      leaves: up to FANOUT nodes
//! ```
//!
//! Each tree knows how many elements, nodes and bytes are under it, so that an element is found by
//! walking down, and an edit or a cut changes the trees on one path and no others. All leaves are
//! equally deep. A leaf that is appended to is left full; one that is edited in its middle splits
//! in halves. Small neighbours in a leaf are joined; trees are not, because a tree of few kids
//! costs little and the next append or removal beside it is as fast.
//!
//! *Invariant*: no tree below the root is empty, and every sum is that of what is under it.

use super::node::{Node, Pieces};
use plinth_module::pack::element::Encoded;

/// Most kids of one tree.
const FANOUT: usize = 64;

/// Which end of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    /// Where element 0 is.
    Front,
    /// The other one.
    Back,
}

#[derive(Clone)]
enum Kids {
    Nodes(Vec<Node>),
    Trees(Vec<Tree>),
}

/// A list's interior. See the [module](self).
#[derive(Clone)]
pub(super) struct Tree {
    elements: usize,
    nodes: usize,
    bytes: usize,
    kids: Kids,
}

/// What a removal of equal elements is asked for, and how far it has come.
pub(super) struct Removal<'e> {
    /// What goes.
    pub(super) wanted: Encoded<'e>,
    /// Where the search begins.
    pub(super) from: Side,
    /// How many may still go.
    pub(super) left: usize,
    /// Most bytes of a node, for joining neighbours.
    pub(super) bytes_max: usize,
}

impl Default for Tree {
    fn default() -> Tree {
        Tree { elements: 0, nodes: 0, bytes: 0, kids: Kids::Nodes(Vec::new()) }
    }
}

impl Tree {
    fn of(kids: Kids) -> Tree {
        let mut tree = Tree { elements: 0, nodes: 0, bytes: 0, kids };
        tree.recount();
        tree
    }

    /// Sums up the kids again.
    fn recount(&mut self) {
        (self.elements, self.nodes, self.bytes) = match &self.kids {
            Kids::Nodes(nodes) => nodes.iter().fold((0, 0, 0), |(elements, count, bytes), node| {
                (elements + node.count(), count + 1, bytes + node.heap_bytes())
            }),
            Kids::Trees(trees) => trees.iter().fold((0, 0, 0), |(elements, count, bytes), tree| {
                (elements + tree.elements, count + tree.nodes, bytes + tree.bytes)
            }),
        };
    }

    /// Number of elements.
    pub(super) fn elements(&self) -> usize {
        self.elements
    }

    /// Number of nodes.
    pub(super) fn nodes(&self) -> usize {
        self.nodes
    }

    /// Bytes that the tree owns, about: its own vectors are counted by the number of nodes.
    pub(super) fn heap_bytes(&self) -> usize {
        self.bytes + self.nodes * (size_of::<Node>() + 1)
    }

    fn is_full(&self) -> bool {
        match &self.kids {
            Kids::Nodes(nodes) => nodes.len() >= FANOUT,
            Kids::Trees(trees) => trees.len() >= FANOUT,
        }
    }

    /// Adds a node at one end.
    pub(super) fn push(&mut self, node: Node, side: Side) {
        if let Some(beside) = self.push_inside(node, side) {
            let this = std::mem::take(self);
            let kids = if side == Side::Back { vec![this, beside] } else { vec![beside, this] };
            *self = Tree::of(Kids::Trees(kids));
        }
    }

    /// Adds a node; the tree that it is in when it has no room here.
    fn push_inside(&mut self, node: Node, side: Side) -> Option<Tree> {
        let (elements, bytes) = (node.count(), node.heap_bytes());
        let is_full = self.is_full();
        match &mut self.kids {
            Kids::Nodes(_) if is_full => return Some(Tree::of(Kids::Nodes(vec![node]))),
            Kids::Nodes(nodes) if side == Side::Back => nodes.push(node),
            Kids::Nodes(nodes) => nodes.insert(0, node),
            Kids::Trees(trees) => {
                let at = if side == Side::Back { trees.len() - 1 } else { 0 };
                if let Some(beside) = trees[at].push_inside(node, side) {
                    if is_full {
                        return Some(Tree::of(Kids::Trees(vec![beside])));
                    }
                    trees.insert(if side == Side::Back { at + 1 } else { 0 }, beside);
                }
            }
        }
        self.elements += elements;
        self.nodes += 1;
        self.bytes += bytes;
        None
    }

    /// Takes the node at one end away.
    pub(super) fn pop(&mut self, side: Side) -> Option<Node> {
        let node = match &mut self.kids {
            Kids::Nodes(nodes) if nodes.is_empty() => return None,
            Kids::Nodes(nodes) if side == Side::Back => nodes.pop()?,
            Kids::Nodes(nodes) => nodes.remove(0),
            Kids::Trees(trees) => {
                let at = if side == Side::Back { trees.len() - 1 } else { 0 };
                let node = trees[at].pop(side)?;
                if trees[at].nodes == 0 {
                    trees.remove(at);
                }
                node
            }
        };
        self.elements -= node.count();
        self.nodes -= 1;
        self.bytes -= node.heap_bytes();
        self.shorten();
        Some(node)
    }

    /// Gives up levels of one kid, and an empty branch.
    fn shorten(&mut self) {
        while let Kids::Trees(trees) = &mut self.kids
            && trees.len() <= 1
        {
            *self = trees.pop().unwrap_or_default();
        }
    }

    /// Has `change` called with the node at `distance` nodes from one end.
    pub(super) fn change_node(&mut self, distance: usize, side: Side, change: impl FnOnce(&mut Node)) {
        if distance < self.nodes {
            let at = if side == Side::Front { distance } else { self.nodes - 1 - distance };
            self.change_at(at, change);
        }
    }

    fn change_at(&mut self, mut at: usize, change: impl FnOnce(&mut Node)) {
        match &mut self.kids {
            Kids::Nodes(nodes) => change(&mut nodes[at]),
            Kids::Trees(trees) => {
                for tree in trees {
                    if at < tree.nodes {
                        tree.change_at(at, change);
                        break;
                    }
                    at -= tree.nodes;
                }
            }
        }
        self.recount();
    }

    /// The node that has element number `at`, and the element's number there.
    pub(super) fn find(&self, mut at: usize) -> Option<(&Node, usize)> {
        match &self.kids {
            Kids::Nodes(nodes) => {
                for node in nodes {
                    if at < node.count() {
                        return Some((node, at));
                    }
                    at -= node.count();
                }
                None
            }
            Kids::Trees(trees) => {
                for tree in trees {
                    if at < tree.elements {
                        return tree.find(at);
                    }
                    at -= tree.elements;
                }
                None
            }
        }
    }

    /// Replaces the node that has element number `at` by what `edit` makes of it and of the
    /// element's number there.
    pub(super) fn edit(&mut self, at: usize, bytes_max: usize, edit: impl FnOnce(&Node, usize) -> Pieces) {
        if let Some(beside) = self.edit_inside(at, bytes_max, edit) {
            let this = std::mem::take(self);
            *self = Tree::of(Kids::Trees(vec![this, beside]));
        }
        self.shorten();
    }

    /// As [`Tree::edit`]; the tree of the second half when this one had to split.
    fn edit_inside(
        &mut self,
        mut at: usize,
        bytes_max: usize,
        edit: impl FnOnce(&Node, usize) -> Pieces,
    ) -> Option<Tree> {
        match &mut self.kids {
            Kids::Nodes(nodes) => {
                let position = nodes.iter().position(|node| {
                    let is_here = at < node.count();
                    at -= if is_here { 0 } else { node.count() };
                    is_here
                })?;
                let pieces = edit(&nodes[position], at);
                nodes.splice(position..=position, pieces.into_iter().flatten());
                join_around(nodes, position, bytes_max);
            }
            Kids::Trees(trees) => {
                let position = trees.iter().position(|tree| {
                    let is_here = at < tree.elements;
                    at -= if is_here { 0 } else { tree.elements };
                    is_here
                })?;
                let beside = trees[position].edit_inside(at, bytes_max, edit);
                if trees[position].nodes == 0 {
                    trees.remove(position);
                }
                if let Some(beside) = beside {
                    trees.insert(position + 1, beside);
                }
            }
        }
        let beside = self.halve();
        self.recount();
        beside
    }

    /// The second half of a tree that has too many kids.
    fn halve(&mut self) -> Option<Tree> {
        match &mut self.kids {
            Kids::Nodes(nodes) if nodes.len() > FANOUT => Some(Tree::of(Kids::Nodes(nodes.split_off(FANOUT / 2)))),
            Kids::Trees(trees) if trees.len() > FANOUT => Some(Tree::of(Kids::Trees(trees.split_off(FANOUT / 2)))),
            _ => None,
        }
    }

    /// The tree of the elements from number `at` on, which go from this one.
    pub(super) fn split_off(&mut self, at: usize) -> Tree {
        let mut right = self.split_inside(at);
        self.shorten();
        right.shorten();
        right
    }

    fn split_inside(&mut self, mut at: usize) -> Tree {
        if at == 0 {
            return std::mem::take(self);
        }
        let right = match &mut self.kids {
            Kids::Nodes(nodes) => {
                let mut position = 0;
                while position < nodes.len() && at >= nodes[position].count() {
                    at -= nodes[position].count();
                    position += 1;
                }
                let mut right = nodes.split_off(position);
                if at > 0 && !right.is_empty() {
                    let (before, behind) = right[0].cut(at);
                    nodes.push(before);
                    right[0] = behind;
                }
                Kids::Nodes(right)
            }
            Kids::Trees(trees) => {
                let mut position = 0;
                while position < trees.len() && at >= trees[position].elements {
                    at -= trees[position].elements;
                    position += 1;
                }
                let mut right = trees.split_off(position);
                if at > 0 && !right.is_empty() {
                    let behind = right[0].split_inside(at);
                    trees.push(std::mem::replace(&mut right[0], behind));
                }
                Kids::Trees(right)
            }
        };
        self.recount();
        Tree::of(right)
    }

    /// Hands nodes from one end on to `visit`, with how many elements to pass over in the first,
    /// until it says false; `skip` elements are passed over. Returns whether it came to its end.
    pub(super) fn visit<'t>(
        &'t self,
        side: Side,
        skip: &mut usize,
        visit: &mut impl FnMut(&'t Node, usize) -> bool,
    ) -> bool {
        if *skip >= self.elements {
            *skip -= self.elements;
            return true;
        }
        let mut node = |node: &'t Node| {
            if *skip >= node.count() {
                *skip -= node.count();
                return true;
            }
            visit(node, std::mem::take(skip))
        };
        match (&self.kids, side) {
            (Kids::Nodes(nodes), Side::Front) => nodes.iter().all(&mut node),
            (Kids::Nodes(nodes), Side::Back) => nodes.iter().rev().all(&mut node),
            (Kids::Trees(trees), Side::Front) => trees.iter().all(|tree| tree.visit(side, skip, visit)),
            (Kids::Trees(trees), Side::Back) => trees.iter().rev().all(|tree| tree.visit(side, skip, visit)),
        }
    }

    /// Removes elements as `removal` asks.
    pub(super) fn remove_equal(&mut self, removal: &mut Removal<'_>) {
        self.remove_inside(removal);
        self.shorten();
    }

    fn remove_inside(&mut self, removal: &mut Removal<'_>) {
        let from_back = removal.from == Side::Back;
        match &mut self.kids {
            Kids::Nodes(nodes) => remove_from(nodes, removal, from_back),
            Kids::Trees(trees) => {
                let mut step = 0;
                while step < trees.len() && removal.left > 0 {
                    let at = if from_back { trees.len() - 1 - step } else { step };
                    trees[at].remove_inside(removal);
                    step += 1;
                }
                trees.retain(|tree| tree.nodes > 0);
            }
        }
        self.recount();
    }
}

/// Removes equal elements from the nodes of a leaf, and joins those that became small.
fn remove_from(nodes: &mut Vec<Node>, removal: &mut Removal<'_>, from_back: bool) {
    let mut is_changed = false;
    let mut left: Vec<Option<Node>> = std::mem::take(nodes).into_iter().map(Some).collect();
    let mut step = 0;
    while step < left.len() && removal.left > 0 {
        let at = if from_back { left.len() - 1 - step } else { step };
        step += 1;
        let Some(node) = &left[at] else { continue };
        if let Some((kept, removed)) = node.without(&removal.wanted, removal.left, from_back) {
            removal.left -= removed;
            left[at] = kept;
            is_changed = true;
        }
    }
    for node in left.into_iter().flatten() {
        match nodes.last_mut() {
            Some(last) if is_changed && are_small(last, &node, removal.bytes_max) => *last = join(last, &node),
            _ => nodes.push(node),
        }
    }
}

/// Whether two neighbours are worth joining: half a node together, so that joining and splitting
/// do not take turns.
fn are_small(one: &Node, other: &Node, bytes_max: usize) -> bool {
    one.raw_len() + other.raw_len() <= bytes_max / 2
}

fn join(one: &Node, other: &Node) -> Node {
    let mut node = one.joined(other);
    if one.is_compressed() || other.is_compressed() {
        node.compress();
    }
    node
}

/// Joins the node at `position` with a neighbour if both are small.
fn join_around(nodes: &mut Vec<Node>, position: usize, bytes_max: usize) {
    for left in [Some(position), position.checked_sub(1)].into_iter().flatten() {
        if left + 1 < nodes.len() && are_small(&nodes[left], &nodes[left + 1], bytes_max) {
            let node = join(&nodes[left], &nodes[left + 1]);
            nodes.splice(left..=left + 1, [node]);
            return;
        }
    }
}
