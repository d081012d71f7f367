//! A file of more than 800 lines, or a function of more than 70, has a noun in it that wants out.

use super::Fault;
use super::source::File;
use syn::visit::Visit;

/// Most lines of a file.
const FILE_LINES_MAX: usize = 800;
/// Most lines of a function, from `fn` to its last brace.
const FUNCTION_LINES_MAX: usize = 70;

/// Generated, and so as long as what it is generated from.
const GENERATED: &str = "module-api/include/";

/// Checks files and functions.
pub(super) fn check(files: &[File]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in files.iter().filter(|file| !file.path.starts_with(GENERATED)) {
        let lines = file.text.lines().count();
        if lines > FILE_LINES_MAX {
            faults.push(fault(file, 0, "file", lines, FILE_LINES_MAX));
        }
        for (name, line, lines) in long_functions(file) {
            faults.push(fault(file, line, &name, lines, FUNCTION_LINES_MAX));
        }
    }
    faults
}

fn fault(file: &File, line: usize, what: &str, lines: usize, most: usize) -> Fault {
    let advice = format!("{lines} lines, and at most {most} are read with pleasure");
    Fault { rule: "size", path: file.path.clone(), line, word: what.into(), advice }
}

/// Name, line and length of functions that are too long.
fn long_functions(file: &File) -> Vec<(String, usize, usize)> {
    if !file.path.ends_with(".rs") {
        return Vec::new();
    }
    let Ok(parsed) = syn::parse_file(&file.text) else { return Vec::new() };
    let mut functions = Functions { long: Vec::new() };
    functions.visit_file(&parsed);
    functions.long
}

struct Functions {
    long: Vec<(String, usize, usize)>,
}

impl Functions {
    fn measure(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let begin = signature.fn_token.span.start().line;
        let lines = block.brace_token.span.close().end().line + 1 - begin;
        if lines > FUNCTION_LINES_MAX {
            self.long.push((signature.ident.to_string(), begin, lines));
        }
    }
}

impl<'a> Visit<'a> for Functions {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.measure(&item.sig, &item.block);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.measure(&item.sig, &item.block);
        syn::visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.measure(&item.sig, block);
        }
        syn::visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_function_is_found_in_an_impl() {
        let text = format!("struct A;\nimpl A {{\n    fn long() {{\n{}    }}\n}}\n", "        f();\n".repeat(70));
        let file = File { path: "x.rs".into(), text, words: Vec::new() };
        assert_eq!(long_functions(&file), [("long".to_owned(), 3, 72)]);
    }
}
