//! A module that is taking the place of another: which, how far, and what the other had.

use crate::base::id::ModuleId;
use crate::command::table::Registered;
use crate::registry::hooks::Subscription;
use crate::registry::timers::Timer;
use plinth_abi::bytes::Opaque;
use plinth_abi::info::Section;
use std::time::Duration;

/// A replacement on its way.
pub struct Replacement<R> {
    /// The module that has the names.
    pub active: ModuleId,
    /// The one whose values are converted.
    pub inactive: ModuleId,
    /// What goes on.
    pub stage: Stage,
    /// Whether services lead to the inactive module at present.
    pub services_inactive: bool,
    /// What the inactive module had, and gets back by a rollback.
    pub stash: Stash<R>,
}

/// What a module has while it is active.
pub struct Stash<R> {
    /// Commands.
    #[allow(clippy::vec_box, reason = "addresses must not change")]
    pub commands: Vec<Box<Registered<R>>>,
    /// Subscriptions.
    pub hooks: Vec<Subscription>,
    /// Timers, with what was left of their time.
    pub timers: Vec<(u64, Duration, Timer)>,
    /// Sections of INFO.
    pub sections: Vec<Section>,
    /// Id and table.
    pub services: Vec<(String, Opaque)>,
}

impl<R> Default for Stash<R> {
    fn default() -> Self {
        Stash {
            commands: Vec::new(),
            hooks: Vec::new(),
            timers: Vec::new(),
            sections: Vec::new(),
            services: Vec::new(),
        }
    }
}

/// What goes on in a replacement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Values follow.
    Converting,
    /// The operator has them rest.
    Paused,
    /// The operator has changed their mind, and values follow back.
    RollingBack,
    /// The same, at rest.
    RollingBackPaused,
}

impl Stage {
    /// Whether values rest.
    pub fn is_paused(self) -> bool {
        matches!(self, Stage::Paused | Stage::RollingBackPaused)
    }

    /// The same direction, at rest or not.
    #[must_use]
    pub fn paused(self, paused: bool) -> Stage {
        match (self, paused) {
            (Stage::Converting | Stage::Paused, false) => Stage::Converting,
            (Stage::Converting | Stage::Paused, true) => Stage::Paused,
            (_, false) => Stage::RollingBack,
            (_, true) => Stage::RollingBackPaused,
        }
    }

    /// The other direction.
    #[must_use]
    pub fn turned(self) -> Stage {
        match self {
            Stage::Converting | Stage::Paused => Stage::RollingBack,
            Stage::RollingBack | Stage::RollingBackPaused => Stage::Converting,
        }
    }

    /// What an operator is told.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Converting => "converting",
            Stage::Paused => "paused",
            Stage::RollingBack => "rolling-back",
            Stage::RollingBackPaused => "rolling-back-paused",
        }
    }
}

impl<R> Replacement<R> {
    /// Whether it is between these two, in this order.
    pub fn is_of(&self, active: ModuleId, inactive: ModuleId) -> bool {
        (self.active, self.inactive) == (active, inactive)
    }

    /// The inactive module's command of a name, subcommands included.
    pub fn command(&self, name: &str) -> Option<*const Registered<R>> {
        let mut all = self.stash.commands.iter().flat_map(|command| {
            let subs = command.subcommands.iter().map(|sub| &**sub);
            std::iter::once(&**command).chain(subs)
        });
        all.find(|command| command.name == name).map(std::ptr::from_ref)
    }

    /// The inactive module's services: id and table.
    pub fn services(&self) -> Vec<(String, Opaque)> {
        self.stash.services.clone()
    }
}
