//! State of rooms above the engine: one value of each type, made when it is first asked for.
//!
//! There are as few as there are rooms with state, so that they are searched one by one: the duties
//! look at theirs in every turn.

use std::any::{Any, TypeId};

/// Values by their type.
#[derive(Default)]
pub struct Slots {
    /// A value that was taken out is `None`.
    values: Vec<(TypeId, Option<Box<dyn Any>>)>,
}

impl Slots {
    /// The value of a type, if it was made and is not taken out.
    #[inline]
    pub fn peek<T: Any>(&self) -> Option<&T> {
        let (_, value) = self.values.iter().find(|(id, _)| *id == TypeId::of::<T>())?;
        value.as_deref()?.downcast_ref()
    }

    /// Take the value of a type out while it works with the rest of the server; it is put back
    /// with [`Slots::put`].
    pub fn take<T: Any + Default>(&mut self) -> Box<T> {
        let slot = self.values.iter_mut().find(|(id, _)| *id == TypeId::of::<T>());
        let taken = slot.and_then(|(_, value)| value.take());
        taken.and_then(|value| value.downcast().ok()).unwrap_or_default()
    }

    /// Put a value in.
    pub fn put<T: Any>(&mut self, value: Box<T>) {
        match self.values.iter_mut().find(|(id, _)| *id == TypeId::of::<T>()) {
            Some((_, slot)) => *slot = Some(value),
            None => self.values.push((TypeId::of::<T>(), Some(value))),
        }
    }

    /// The value of a type, for the time in which nothing else of the server is needed.
    pub fn with<T: Any + Default, R>(&mut self, work: impl FnOnce(&mut T) -> R) -> R {
        let mut value = self.take::<T>();
        let result = work(&mut value);
        self.put(value);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_there_from_its_first_use_on_but_for_the_time_that_it_is_taken_out() {
        let mut slots = Slots::default();
        assert_eq!(slots.peek::<u32>(), None);
        assert_eq!(slots.with(|value: &mut u32| std::mem::replace(value, 7)), 0);
        assert_eq!((slots.peek::<u32>(), slots.peek::<u64>()), (Some(&7), None));
        let taken = slots.take::<u32>();
        assert_eq!((*taken, slots.peek::<u32>()), (7, None));
        slots.put(taken);
        assert_eq!(slots.peek::<u32>(), Some(&7));
    }
}
