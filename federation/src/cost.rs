//! What an operation costs, as a formula over its variables.
//!
//! A field costs 1 plus the cost of what is selected in it, times the number of entries that it may
//! answer. That number is the greater of its arguments `first` and `last`; for a list without them
//! it is assumed, unless the field around it has them, for then it is that connection's page.
//!
//! The formula is kept with the plan, its fragments not written out: a step for each selection of
//! the document, what is inside before what is around, so that one pass computes it however often
//! a fragment is used. Sums that overflow stay at the greatest number.

use async_graphql::{ServerError, Value, Variables};

use crate::{Code, Limits};

/// The formula of one operation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cost {
    steps: Vec<CostStep>,
}

/// One selection: its own cost, how often, and which earlier steps lie inside it.
#[derive(Debug, Clone)]
pub(crate) struct CostStep {
    pub(crate) own: u64,
    pub(crate) times: Times,
    pub(crate) inside: Vec<usize>,
}

/// How many entries a field may answer: the greatest of these.
pub(crate) type Times = Vec<Count>;

/// A number of the document, or of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Count {
    /// Known from the document or the schema.
    Fixed(u64),
    /// A variable's, or a number for when it has none.
    Variable(String, u64),
}

impl Cost {
    /// Adds a step after those that lie inside it.
    pub(crate) fn push(&mut self, step: CostStep) -> usize {
        self.steps.push(step);
        self.steps.len().saturating_sub(1)
    }

    /// Refuses an operation that costs more than it may.
    pub(crate) fn check(&self, variables: &Variables, limits: &Limits) -> Result<(), ServerError> {
        let cost = self.of(variables);
        if cost <= limits.complexity_max {
            return Ok(());
        }
        let most = limits.complexity_max;
        let message = format!("The operation costs {cost}; {most} is the most. Ask for less.");
        Err(Code::OperationTooComplex.error(message))
    }

    /// The cost with these variables: that of the last step, which is the operation itself.
    pub(crate) fn of(&self, variables: &Variables) -> u64 {
        let mut costs: Vec<u64> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let inside = step.inside.iter().filter_map(|index| costs.get(*index));
            let inside = inside.fold(0_u64, |sum, cost| sum.saturating_add(*cost));
            let times =
                step.times.iter().map(|count| count.with(variables)).max().unwrap_or(1).max(1);
            costs.push(step.own.saturating_add(times.saturating_mul(inside)));
        }
        costs.last().copied().unwrap_or(0)
    }
}

impl Count {
    fn with(&self, variables: &Variables) -> u64 {
        match self {
            Self::Fixed(count) => *count,
            Self::Variable(name, otherwise) => match variables.get(name.as_str()) {
                Some(Value::Number(count)) => count.as_u64().unwrap_or(0),
                _ => *otherwise,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::Name;

    use super::*;

    fn step(own: u64, times: Times, inside: Vec<usize>) -> CostStep {
        CostStep { own, times, inside }
    }

    #[test]
    fn the_cost_is_multiplied_by_the_greatest_count_and_follows_the_variables() {
        let mut cost = Cost::default();
        let leaf = cost.push(step(1, vec![], vec![]));
        let times = vec![Count::Variable("first".to_owned(), 10), Count::Fixed(3)];
        let _list = cost.push(step(1, times, vec![leaf, leaf]));

        let with = |first: Option<i32>| {
            let mut variables = Variables::default();
            if let Some(first) = first {
                variables.insert(Name::new("first"), first.into());
            }
            cost.of(&variables)
        };

        assert_eq!(with(None), 21);
        assert_eq!(with(Some(50)), 101);
        assert_eq!(with(Some(1)), 7);
        assert_eq!(with(Some(-1)), 7);
    }

    #[test]
    fn a_cost_beyond_counting_is_refused_and_not_wrapped() {
        let mut cost = Cost::default();
        let mut last = cost.push(step(1, vec![], vec![]));
        for _ in 0..100 {
            last = cost.push(step(0, vec![Count::Fixed(10)], vec![last]));
        }
        assert_eq!(cost.of(&Variables::default()), u64::MAX);
        let error = cost.check(&Variables::default(), &Limits::default()).unwrap_err();
        assert!(Code::OperationTooComplex.is_of(&error));
    }
}
