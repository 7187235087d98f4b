//! The operations that one socket has under way.
//!
//! Its client gives them their ids and decides how many there are, and each event of the log is
//! work for every subscription. So they are counted, and an id has one operation at a time: who
//! began a second under it would lose the first.

use std::any::TypeId;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_graphql::{Data, Executor, Request, Response, ServerError};
use futures::StreamExt;
use futures::future::ready;
use futures::stream::{self, BoxStream};
use shared_kernel::domain::Violation;
use shared_kernel::infrastructure::graphql::violation_error;

/// Operations that one socket has open; the next is refused.
pub(super) const OPERATIONS_MAX: usize = 100;
/// Ids that one socket has in use, those of refused operations included until they are told so:
/// whoever begins more, without a look at the answers, is sent away.
pub(super) const IDS_MAX: usize = 2 * OPERATIONS_MAX;

/// Why an operation cannot be begun, and nothing after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unbegun {
    /// Its id is another's.
    IdInUse,
    /// So many ids are in use.
    TooMany,
}

/// The ids that are in use.
#[derive(Clone, Debug, Default)]
pub(super) struct Operations(Arc<Mutex<HashSet<String>>>);

impl Operations {
    fn ids(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The request under an id, which is in use until its answers end or nobody waits for them any
    /// more.
    pub(super) fn begin(&self, id: &str, request: Request) -> Result<Request, Unbegun> {
        let mut ids = self.ids();
        if ids.contains(id) {
            return Err(Unbegun::IdInUse);
        }
        if ids.len() >= IDS_MAX {
            return Err(Unbegun::TooMany);
        }
        ids.insert(id.to_owned());
        let operation = Operation { id: id.to_owned(), all: self.clone() };
        Ok(request.data(Handed(Mutex::new(Some(operation)))))
    }
}

/// One of them.
#[derive(Debug)]
struct Operation {
    id: String,
    all: Operations,
}

/// How it comes to its executor, which takes it out: a request may be kept longer than its answers.
#[derive(Debug)]
struct Handed(Mutex<Option<Operation>>);

impl Operation {
    /// What a request was begun as.
    fn of(request: &Request) -> Option<Self> {
        let Handed(operation) = request.data.get(&TypeId::of::<Handed>())?.downcast_ref()?;
        operation.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn is_one_too_many(&self) -> bool {
        self.all.ids().len() > OPERATIONS_MAX
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        self.all.ids().remove(&self.id);
    }
}

/// An executor of one socket, whose operations end with their answers.
#[derive(Clone, Debug)]
pub(super) struct Counted<E>(pub(super) E);

fn too_many() -> Response {
    let message = format!("a connection has at most {OPERATIONS_MAX} operations under way");
    let broken = Violation::resource_exhausted("too_many_operations", "", message);
    let error = violation_error(&broken);
    let mut told = ServerError::new(error.message, None);
    told.extensions = error.extensions;
    Response::from_errors(vec![told])
}

impl<E: Executor> Executor for Counted<E> {
    async fn execute(&self, request: Request) -> Response {
        self.0.execute(request).await
    }

    fn execute_stream(
        &self,
        request: Request,
        session_data: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        let operation = Operation::of(&request);
        let answers = if operation.as_ref().is_some_and(Operation::is_one_too_many) {
            stream::once(ready(too_many())).boxed()
        } else {
            self.0.execute_stream(request, session_data)
        };
        // The id is free when the stream goes.
        answers
            .inspect(move |_answer| {
                let _held = &operation;
            })
            .boxed()
    }
}
