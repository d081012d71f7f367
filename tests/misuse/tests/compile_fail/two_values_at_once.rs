//! The host may move or free the first value when the second is made.
use plinth_module::prelude::*;
use std::ffi::CStr;

#[derive(Default)]
struct Gauge(i64);

impl DataType for Gauge {
    const NAME: &'static CStr = c"com.example.gauge";
    const ENCODING: u32 = 1;
    fn save(&self, out: &mut Saver<'_>) {
        out.put(self.0)
    }
    fn load(from: &mut Loader<'_>, _encoding: u32) -> Result<Self> {
        Ok(Gauge(from.i64()?))
    }
}

fn sum(call: &mut Call<'_>) -> Result {
    let first: &mut Gauge = call.keys.get_or_create(b"a")?;
    let second: &mut Gauge = call.keys.get_or_create(b"b")?;
    call.reply.integer(first.0 + second.0);
    Ok(())
}

fn main() {
    let _: HandlerFn = sum;
}
