//! Page views wait a moment, so that those of many visitors are handed on together: a message for each would
//! take longer than to make the page.

use crate::config::Config;
use crate::{background, clock, forward};
use nearside_engine::time::Timestamp;
use nearside_engine::value::Value;
use std::cell::RefCell;
use std::time::Duration;
use worker::{Context, Delay, Env, console_log};

/// How long page views wait.
const WAIT: Duration = Duration::from_millis(50);
/// With so many they wait no longer.
const ENOUGH: usize = 100;
/// After this long, in milliseconds, whoever was to hand them on is gone.
const GIVEN_UP: i64 = 5_000;

thread_local! {
    static WAITING: RefCell<Waiting> = RefCell::default();
}

#[derive(Default)]
struct Waiting {
    messages: Vec<Value>,
    /// Since when somebody is about to hand them on.
    since: Option<Timestamp>,
}

/// What whoever brings a message has to do.
#[derive(Debug, PartialEq)]
enum Task {
    /// Nothing: somebody hands it on soon.
    Nothing,
    /// To wait a moment, and then hand on what there is.
    Wait,
    /// To hand these on.
    HandOn(Vec<Value>),
}

impl Waiting {
    fn add(&mut self, message: Value, now: Timestamp) -> Task {
        self.messages.push(message);
        if self.messages.len() >= ENOUGH {
            return Task::HandOn(self.take());
        }
        if self.since.is_some_and(|since| now - since < GIVEN_UP) {
            return Task::Nothing;
        }
        self.since = Some(now);
        Task::Wait
    }

    fn take(&mut self) -> Vec<Value> {
        self.since = None;
        std::mem::take(&mut self.messages)
    }
}

/// Hands a page view on in a moment, when the visitor has their page.
pub(crate) fn hand_on_soon(message: Value, env: &Env, context: &Context) {
    let now = clock::now();
    let task = WAITING.with_borrow_mut(|waiting| waiting.add(message, now));
    let messages = match task {
        Task::Nothing => return,
        Task::Wait => None,
        Task::HandOn(messages) => Some(messages),
    };
    let env = env.clone();
    background::go_on(context, async move {
        let messages = match messages {
            Some(messages) => messages,
            None => {
                Delay::from(WAIT).await;
                WAITING.with_borrow_mut(Waiting::take)
            }
        };
        let config = Config::of_isolate(&env);
        if let Err(error) = forward::hand_on(messages, &env, &config).await {
            console_log!("nearside: page views could not be handed on: {error}");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_waits_for_the_others() {
        let mut waiting = Waiting::default();
        assert_eq!(waiting.add("a".into(), 1_000), Task::Wait);
        assert_eq!(waiting.add("b".into(), 1_001), Task::Nothing);
        assert_eq!(waiting.take(), ["a".into(), "b".into()]);
        assert_eq!(waiting.add("c".into(), 1_100), Task::Wait);
        // Whoever was to do it is gone.
        assert_eq!(waiting.add("d".into(), 1_100 + GIVEN_UP), Task::Wait);
        assert_eq!(waiting.take(), ["c".into(), "d".into()]);
    }

    #[test]
    fn so_many_do_not_wait() {
        let mut waiting = Waiting::default();
        let tasks: Vec<Task> = (0..ENOUGH).map(|i| waiting.add((i as f64).into(), 0)).collect();
        assert_eq!(tasks[0], Task::Wait);
        assert!(tasks[1..ENOUGH - 1].iter().all(|task| *task == Task::Nothing));
        assert!(matches!(&tasks[ENOUGH - 1], Task::HandOn(all) if all.len() == ENOUGH));
        assert_eq!(waiting.add(1.0.into(), 1), Task::Wait);
    }
}
