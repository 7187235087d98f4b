//! Relay connections over the pages of a use case, forwards: `first` and `after`.

use async_graphql::OutputType;
use async_graphql::connection::{Connection, Edge};

use crate::application::page::{Page, PageSize, Place};
use crate::domain::Violation;

/// The part of a list that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window<P> {
    /// How many rows.
    pub size: PageSize,
    /// Behind which row; none for the first page.
    pub after: Option<P>,
}

impl<P: Place> Window<P> {
    /// Reads the arguments of a connection.
    ///
    /// # Errors
    /// `page_size_range` in `first`, `page_token_shape` in `after`.
    pub fn asked(first: Option<i32>, after: Option<&str>) -> Result<Self, Violation> {
        // 0 is a protocol's word for the usual size; here that is to leave the argument out.
        let size = match first {
            None => Ok(PageSize::USUAL),
            Some(0) => PageSize::asked(-1),
            Some(first) => PageSize::asked(first.into()),
        };
        let after = P::of_token(after.unwrap_or_default());
        Ok(Self {
            size: size.map_err(|broken| broken.on("first"))?,
            after: after.map_err(|broken| broken.on("after"))?,
        })
    }
}

/// A page as a connection: each row with its place as cursor.
pub fn connection<T, P, N>(
    page: Page<T>,
    after: bool,
    place: impl Fn(&T) -> P,
    node: impl Fn(T) -> N,
) -> Connection<String, N>
where
    P: Place,
    N: OutputType,
{
    let mut shown = Connection::new(after, page.more);
    let edge = |row: T| {
        let cursor = place(&row).token();
        Edge::new(cursor, node(row))
    };
    shown.edges.extend(page.rows.into_iter().map(edge));
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Number(i32);

    impl Place for Number {
        fn write(&self) -> String {
            self.0.to_string()
        }

        fn read(text: &str) -> Option<Self> {
            text.parse().ok().map(Self)
        }
    }

    #[test]
    fn arguments_are_refused_by_their_own_names() {
        let broken = |first, after| {
            let refused = Window::<Number>::asked(first, after).unwrap_err();
            (refused.code(), refused.field())
        };
        assert_eq!(broken(Some(201), None), ("page_size_range", "first"));
        assert_eq!(broken(None, Some("x")), ("page_token_shape", "after"));
        let first = Window::<Number>::asked(None, None).unwrap();
        assert_eq!(first, Window { size: PageSize::USUAL, after: None });
    }

    #[test]
    fn each_row_has_the_cursor_behind_which_the_next_page_begins() {
        let page = Page { rows: vec![1, 2], more: true };
        let shown = connection(page, false, |row| Number(*row), |row| row);
        assert!(shown.has_next_page && !shown.has_previous_page);
        let last = shown.edges.last().unwrap();
        let next = Window::<Number>::asked(Some(2), Some(&last.cursor)).unwrap();
        assert_eq!((last.node, next.after), (2, Some(Number(2))));
    }
}
