//! INFO's section on what lasts.

use crate::admin::info::{Fields, ratio};
use crate::engine::server::Server;
use crate::persist::load::Loading;
use crate::persist::save::{self, SNAPSHOT};
use crate::persist::{Forks, Persist, aof};

pub(in crate::admin) fn section(server: &mut Server, fields: &mut Fields) {
    let fallback = Persist::default();
    let persist = server.slots.peek::<Persist>().unwrap_or(&fallback);
    let saves = &persist.saves;
    fields.section("Persistence");
    let serves_old = persist.loading.as_ref().is_some_and(|loading| loading.serves_old);
    fields.add("loading", u8::from(persist.loading.is_some() && !serves_old));
    fields.add("async_loading", u8::from(serves_old));
    let report = persist.child.as_ref().map(|child| child.report.clone()).unwrap_or_default();
    fields.add("current_cow_peak", report.copied_bytes_peak);
    fields.add("current_cow_size", report.copied_bytes);
    fields.add("current_cow_size_age", report.at.map_or(0, |at| at.elapsed().as_secs()));
    let keys_total = persist.child.as_ref().map_or(0, |child| child.keys_total);
    fields.add("current_fork_perc", format_args!("{:.2}", 100.0 * ratio(report.keys as f64, keys_total as f64)));
    fields.add("current_save_keys_processed", report.keys);
    fields.add("current_save_keys_total", keys_total);
    fields.add("rdb_changes_since_last_save", server.store.dirty.saturating_sub(saves.dirty));
    let snapshot = persist.child.as_ref().filter(|child| child.task.name == SNAPSHOT.name);
    fields.add("rdb_bgsave_in_progress", u8::from(snapshot.is_some()));
    fields.add("rdb_last_save_time", save::last_s(server));
    fields.add("rdb_last_bgsave_status", if saves.succeeded { "ok" } else { "err" });
    fields.add("rdb_last_bgsave_time_sec", saves.last_took_s);
    fields.add("rdb_current_bgsave_time_sec", snapshot.map_or(-1, |child| child.begun.elapsed().as_secs() as i64));
    fields.add("rdb_saves", saves.count);
    fields.add("rdb_last_cow_size", saves.last_copied_bytes);
    fields.add("rdb_last_load_keys_expired", persist.loaded.expired);
    fields.add("rdb_last_load_keys_loaded", persist.loaded.keys);
    let (appends, sizes) = aof::fields(server);
    appends.into_iter().for_each(|(name, value)| fields.add(name, value));
    fields.zeros(&["module_fork_in_progress", "module_fork_last_cow_size"]);
    sizes.into_iter().for_each(|(name, value)| fields.add(name, value));
    if let Some(loading) = &persist.loading {
        progress(loading, fields);
    }
}

fn progress(loading: &Loading, fields: &mut Fields) {
    let (loaded, total) = (loading.loaded_bytes as f64, loading.total_bytes as f64);
    fields.add("loading_start_time", loading.begun_s);
    fields.add("loading_total_bytes", loading.total_bytes);
    fields.add("loading_rdb_used_mem", loading.saved_memory_bytes);
    fields.add("loading_loaded_bytes", loading.loaded_bytes);
    fields.add("loading_loaded_perc", format_args!("{:.2}", 100.0 * ratio(loaded, total)));
    let eta_s = loading.begun.elapsed().as_secs_f64() * ratio(total - loaded, loaded);
    fields.add("loading_eta_seconds", eta_s as u64);
}

/// How processes were begun, for the section of counters.
pub(in crate::admin) fn forks(server: &Server) -> Forks {
    server.slots.peek::<Persist>().map_or(Forks::default(), |persist| persist.forks)
}
