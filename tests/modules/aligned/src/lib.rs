//! A module that looks whether memory is aligned as Rust's allocator promises, whatever sizes the server's
//! allocator has.
//!
//! - `aligned.rust` allocates layouts of 16 of all small sizes, and answers how many blocks are not.
//! - `aligned.table` fills hash tables of small elements, whose code relies on it, and answers how many
//!   numbers are in them.

use plinth_module::prelude::*;
use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::collections::HashSet;

/// Blocks of each size.
const BLOCKS: usize = 7;

fn misaligned(size: usize) -> usize {
    let (Ok(layout), Ok(longer)) = (Layout::from_size_align(size, 16), Layout::from_size_align(size + 24, 16)) else {
        return 0;
    };
    // SAFETY: no size is 0, and each block is freed with the layout that it has by then.
    unsafe {
        let blocks: Vec<*mut u8> = (0..BLOCKS).map(|_| alloc(layout)).collect();
        let zeroed: Vec<*mut u8> = (0..BLOCKS).map(|_| alloc_zeroed(layout)).collect();
        let grown: Vec<*mut u8> = blocks.iter().map(|block| realloc(*block, layout, longer.size())).collect();
        let found = zeroed.iter().chain(&grown).filter(|block| block.addr() % 16 != 0).count();
        zeroed.iter().for_each(|block| dealloc(*block, layout));
        grown.iter().for_each(|block| dealloc(*block, longer));
        found
    }
}

fn rust(call: &mut Call<'_>) -> Result {
    call.reply.integer((1..300).map(misaligned).sum::<usize>() as i64);
    Ok(())
}

fn table(call: &mut Call<'_>) -> Result {
    let mut sets: Vec<HashSet<u64>> = (0..50).map(|_| HashSet::new()).collect();
    for number in 0..20 {
        sets.iter_mut().for_each(|set| _ = set.insert(number));
    }
    call.reply.integer(sets.iter().map(HashSet::len).sum::<usize>() as i64);
    Ok(())
}

const fn simple(name: &'static str, handler: HandlerFn) -> Command {
    Command { name: text(name), arity: 1, run: run(handler), ..Command::NEW }
}

export!(Module {
    name: "aligned",
    version: "1.0.0",
    commands: &[simple("aligned.rust", rust), simple("aligned.table", table)],
    ..Module::NEW
});
