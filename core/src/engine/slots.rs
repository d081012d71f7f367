//! State of rooms above the engine: one value of each type, made when it is first asked for.

use std::any::{Any, TypeId};
use std::collections::HashMap;

/// Values by their type.
#[derive(Default)]
pub struct Slots {
    values: HashMap<TypeId, Box<dyn Any>>,
}

impl Slots {
    /// The value of a type, if it was made.
    pub fn peek<T: Any>(&self) -> Option<&T> {
        self.values.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// Take the value of a type out while it works with the rest of the server; it is put back
    /// with [`Slots::put`].
    pub fn take<T: Any + Default>(&mut self) -> T {
        let boxed = self.values.remove(&TypeId::of::<T>());
        boxed.and_then(|boxed| boxed.downcast().ok()).map_or_else(T::default, |value| *value)
    }

    /// Put a value in.
    pub fn put<T: Any>(&mut self, value: T) {
        self.values.insert(TypeId::of::<T>(), Box::new(value));
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
    fn a_value_is_there_from_its_first_use_on() {
        let mut slots = Slots::default();
        assert_eq!(slots.peek::<u32>(), None);
        assert_eq!(slots.with(|value: &mut u32| std::mem::replace(value, 7)), 0);
        assert_eq!((slots.peek::<u32>(), slots.peek::<u64>()), (Some(&7), None));
        assert_eq!((slots.take::<u32>(), slots.peek::<u32>()), (7, None));
    }
}
