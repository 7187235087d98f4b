//! What of a request's data reaches every sub-request: the types that were named, and no others.
//!
//! Request data is a map from types to values that cannot be copied as a whole, so each type that
//! is carried leaves a function here that copies it.

use std::any::{Any, TypeId};

use async_graphql::Data;

/// The carried types.
#[derive(Debug, Clone, Default)]
pub(crate) struct Carry {
    copies: Vec<fn(&Data, &mut Data)>,
}

impl Carry {
    /// Carries a type as well.
    pub(crate) fn add<T: Any + Clone + Send + Sync>(&mut self) {
        self.copies.push(|from, to| {
            let value = from.get(&TypeId::of::<T>()).and_then(|value| value.downcast_ref::<T>());
            if let Some(value) = value {
                to.insert(value.clone());
            }
        });
    }

    /// Copies what is carried.
    pub(crate) fn copy(&self, from: &Data, to: &mut Data) {
        for copy in &self.copies {
            copy(from, to);
        }
    }

    /// What a request carries: its own data, and the session's where it has none.
    pub(crate) fn collect(&self, session: Option<&Data>, request: &Data) -> Data {
        let mut data = Data::default();
        for source in session.into_iter().chain([request]) {
            self.copy(source, &mut data);
        }
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Caller(&'static str);
    #[derive(Clone)]
    struct Secret;

    #[test]
    fn only_the_named_types_are_carried_and_the_request_wins_over_the_session() {
        let mut carry = Carry::default();
        carry.add::<Caller>();
        let mut session = Data::default();
        session.insert(Caller("session"));
        let mut request = Data::default();
        request.insert(Secret);

        let from_session = carry.collect(Some(&session), &request);
        request.insert(Caller("request"));
        let from_request = carry.collect(Some(&session), &request);

        let caller = |data: &Data| data.get(&TypeId::of::<Caller>())?.downcast_ref().cloned();
        assert_eq!(caller(&from_session), Some(Caller("session")));
        assert_eq!(caller(&from_request), Some(Caller("request")));
        assert!(!from_request.contains_key(&TypeId::of::<Secret>()));
    }
}
