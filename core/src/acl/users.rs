//! All users, by name and by identity.

use crate::acl::user::User;
use crate::base::id::UserId;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Most users: each takes some memory, and the ABI's numbers of them have to end somewhere.
pub const USERS_MAX: usize = 100_000;

/// All users; [`UserId::DEFAULT`] is always there.
pub struct Users {
    slots: Vec<Option<User>>,
    free: Vec<u32>,
    by_name: BTreeMap<Rc<[u8]>, UserId>,
}

impl Default for Users {
    fn default() -> Self {
        let mut users = Users { slots: Vec::new(), free: Vec::new(), by_name: BTreeMap::new() };
        users.put(User::default_user());
        users
    }
}

impl Users {
    /// The identity of a name.
    pub fn find(&self, name: &[u8]) -> Option<UserId> {
        self.by_name.get(name).copied()
    }

    /// A user; that of an identity that nobody has any more is the default one.
    #[inline]
    pub fn get(&self, id: UserId) -> &User {
        self.slots.get(id.0 as usize).and_then(Option::as_ref).unwrap_or_else(|| self.default_user())
    }

    fn default_user(&self) -> &User {
        match &self.slots[0] {
            Some(user) => user,
            None => unreachable!("the default user is never removed"),
        }
    }

    /// A user of a name.
    pub fn named(&self, name: &[u8]) -> Option<&User> {
        self.find(name).map(|id| self.get(id))
    }

    /// A user to be changed, but for its name.
    pub fn get_mut(&mut self, id: UserId) -> Option<&mut User> {
        self.slots.get_mut(id.0 as usize)?.as_mut()
    }

    /// Whether there may be one more.
    pub fn has_room(&self) -> bool {
        self.by_name.len() < USERS_MAX
    }

    /// Number of users.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Never: the default user is there.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Take a user in, in the place of one of the same name if there is one.
    pub fn put(&mut self, user: User) -> UserId {
        if let Some(id) = self.find(&user.name) {
            self.slots[id.0 as usize] = Some(user);
            return id;
        }
        let at = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            (self.slots.len() - 1) as u32
        });
        self.by_name.insert(user.name.clone(), UserId(at));
        self.slots[at as usize] = Some(user);
        UserId(at)
    }

    /// Remove a user, but not the default one. Nobody may be that user any more.
    pub fn remove(&mut self, id: UserId) {
        if id == UserId::DEFAULT {
            return;
        }
        if let Some(user) = self.slots.get_mut(id.0 as usize).and_then(Option::take) {
            self.by_name.remove(&user.name);
            self.free.push(id.0);
        }
    }

    /// All users, by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (UserId, &User)> {
        self.by_name.values().map(|id| (*id, self.get(*id)))
    }
}
