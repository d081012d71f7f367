//! Commands on lists whose replies are known beforehand.
//!
//! Elements of the big list are owned by their positions, so nobody adds or takes any before them:
//! that is done to the small lists, and by the first walker behind the big one's last element. (An
//! edit at the front while a list is converted is the matter of examples/list-whole/tests/replace.rs.)

use std::collections::{HashMap, VecDeque};

use super::super::client::{encode, put_bulk, put_header};
use super::{NAMES, Walker, integer};

/// What a walker's lists hold, where that differs from the load or may.
#[derive(Default)]
pub(super) struct Lists {
    small: HashMap<u64, VecDeque<&'static str>>,
    big: HashMap<u64, String>,
    /// What the first walker has put behind the big list's elements.
    tail: Vec<String>,
}

impl Walker {
    pub(super) fn next_big_list(&mut self, request: &mut Vec<u8>) -> Vec<u8> {
        let (at, action, text) = (self.own(), self.draw(8), self.draw(1_000_000).to_string());
        let mut reply = Vec::new();
        let tail = &mut self.lists.tail;
        match action {
            0 | 1 => {
                encode(&["LSET", "big", &at.to_string(), &text], request);
                reply.extend(b"+OK\r\n");
                self.lists.big.insert(at, text);
            }
            2 | 3 if self.number == 0 && tail.len() < 100 => {
                encode(&["RPUSH", "big", &text], request);
                tail.push(text);
                integer((self.values + tail.len() as u64) as i64, &mut reply);
            }
            4 if !tail.is_empty() => {
                encode(&["RPOP", "big"], request);
                put_bulk(tail.pop().unwrap_or_default().as_bytes(), &mut reply);
            }
            _ => {
                let loaded = format!("{at:012}");
                let held = self.lists.big.get(&at).unwrap_or(&loaded);
                if action < 6 {
                    encode(&["LINDEX", "big", &at.to_string()], request);
                } else {
                    encode(&["LRANGE", "big", &at.to_string(), &at.to_string()], request);
                    put_header(b'*', 1, &mut reply);
                }
                put_bulk(held.as_bytes(), &mut reply);
            }
        }
        reply
    }

    pub(super) fn next_small_list(&mut self, request: &mut Vec<u8>) -> Vec<u8> {
        let number = self.own();
        let (action, name) = (self.draw(8), NAMES[self.draw(NAMES.len() as u64) as usize]);
        let key = format!("small:{number:012}");
        let list = self.lists.small.entry(number).or_insert_with(|| VecDeque::from(["a", "b"]));
        let mut reply = Vec::new();
        match action {
            0 => {
                encode(&["RPUSH", &key, name], request);
                list.push_back(name);
                integer(list.len() as i64, &mut reply);
            }
            1 => {
                encode(&["LPUSH", &key, name], request);
                list.push_front(name);
                integer(list.len() as i64, &mut reply);
            }
            2 | 3 => {
                let taken = if action == 2 { list.pop_front() } else { list.pop_back() };
                encode(&[if action == 2 { "LPOP" } else { "RPOP" }, &key], request);
                match taken {
                    Some(taken) => put_bulk(taken.as_bytes(), &mut reply),
                    None => reply.extend(b"$-1\r\n"),
                }
            }
            4 => {
                let before = list.len();
                list.retain(|held| *held != name);
                encode(&["LREM", &key, "0", name], request);
                integer((before - list.len()) as i64, &mut reply);
            }
            5 => {
                encode(&["LLEN", &key], request);
                integer(list.len() as i64, &mut reply);
            }
            _ => {
                put_header(b'*', list.len(), &mut reply);
                list.iter().for_each(|held| put_bulk(held.as_bytes(), &mut reply));
                encode(&["LRANGE", &key, "0", "-1"], request);
            }
        }
        reply
    }
}
