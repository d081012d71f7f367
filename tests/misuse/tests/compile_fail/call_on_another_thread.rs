//! One thread runs commands.
use plinth_module::prelude::*;

fn elsewhere(call: &mut Call<'_>) -> Result {
    std::thread::scope(|scope| {
        scope.spawn(|| call.reply.ok());
    });
    Ok(())
}

fn main() {
    let _: HandlerFn = elsewhere;
}
