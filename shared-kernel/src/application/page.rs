//! Pages of lists, the same in every context and on every transport.
//!
//! A store is asked for one row more than wanted: that row tells whether there is a next page. A
//! page begins behind a [`Place`], the sort key of the last row before it, so that a list may grow
//! while it is read. Transports hand a place out as an opaque token.

use crate::domain::{Timestamp, Violation};

/// How many rows a page has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PageSize(u16);

impl PageSize {
    /// Rows of a page unless the caller says.
    pub const USUAL: Self = Self(50);
    /// Rows of the longest page.
    pub const MAX: Self = Self(200);

    /// The size that was asked for; 0 asks for the usual one.
    ///
    /// # Errors
    /// `page_size_range`.
    pub fn asked(size: i64) -> Result<Self, Violation> {
        match u16::try_from(size) {
            Ok(0) => Ok(Self::USUAL),
            Ok(size) if size <= Self::MAX.0 => Ok(Self(size)),
            _ => {
                let (max, usual) = (Self::MAX.0, Self::USUAL.0);
                let message = format!("a page has 1 to {max} rows, or 0 for {usual}");
                Err(Violation::invalid("page_size_range", "page_size", message))
            }
        }
    }

    /// The rows to ask a store for: one more than the page has.
    pub fn rows_to_read(self) -> i64 {
        i64::from(self.0).saturating_add(1)
    }
}

/// A part of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Period {
    /// Not older than this.
    pub from: Option<Timestamp>,
    /// Older than this.
    pub to: Option<Timestamp>,
}

impl Period {
    /// The part that was asked for.
    ///
    /// # Errors
    /// `period_order` when it ends before it begins.
    pub fn asked(from: Option<Timestamp>, to: Option<Timestamp>) -> Result<Self, Violation> {
        if from.zip(to).is_some_and(|(from, to)| to < from) {
            let message = "a period must end after it begins";
            return Err(Violation::invalid("period_order", "to", message));
        }
        Ok(Self { from, to })
    }

    /// Whether a moment lies in it.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// Its rows.
    pub rows: Vec<T>,
    /// Whether rows follow.
    pub more: bool,
}

impl<T> Page<T> {
    /// Cuts a page out of `rows`, of which [`PageSize::rows_to_read`] were asked for.
    pub fn cut(mut rows: Vec<T>, size: PageSize) -> Self {
        let more = rows.len() > usize::from(size.0);
        rows.truncate(usize::from(size.0));
        Self { rows, more }
    }

    /// The same page of other rows.
    pub fn map<U>(self, row: impl FnMut(T) -> U) -> Page<U> {
        Page { rows: self.rows.into_iter().map(row).collect(), more: self.more }
    }

    /// Where the next page begins, if there is one.
    pub fn next<P: Place>(&self, place: impl Fn(&T) -> P) -> Option<P> {
        self.rows.last().filter(|_| self.more).map(place)
    }
}

/// The sort key of a row.
pub trait Place: Sized {
    /// As text.
    fn write(&self) -> String;

    /// From the text of [`Self::write`]; `None` for any other.
    fn read(text: &str) -> Option<Self>;

    /// As a token that says nothing to whoever holds it: the hexadecimal digits of its text.
    fn token(&self) -> String {
        let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
        self.write().bytes().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }

    /// The place of a token; none for an empty one.
    ///
    /// # Errors
    /// `page_token_shape`.
    fn of_token(token: &str) -> Result<Option<Self>, Violation> {
        if token.is_empty() {
            return Ok(None);
        }
        let place = text_of(token).as_deref().and_then(Self::read);
        place.filter(|place| place.token() == token).map(Some).ok_or_else(|| {
            let message = "send the token of the page before as it was, or nothing";
            Violation::invalid("page_token_shape", "page_token", message)
        })
    }
}

fn text_of(token: &str) -> Option<String> {
    let digits = token.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    String::from_utf8(digits.collect::<Option<_>>()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Number(i64);

    impl Place for Number {
        fn write(&self) -> String {
            self.0.to_string()
        }

        fn read(text: &str) -> Option<Self> {
            text.parse().ok().map(Self)
        }
    }

    #[test]
    fn a_period_holds_its_beginning_and_not_its_end() {
        let at = |micros| Timestamp::from_micros(micros).unwrap();
        let period = Period::asked(Some(at(2)), Some(at(4))).unwrap();
        assert_eq!([1, 2, 3, 4].map(|it| period.holds(at(it))), [false, true, true, false]);
        assert!(Period::default().holds(at(1)));
        assert_eq!(Period::asked(Some(at(4)), Some(at(2))).unwrap_err().code(), "period_order");
        assert!(Period::asked(Some(at(4)), Some(at(4))).is_ok(), "empty, and in order");
    }

    #[test]
    fn a_page_names_the_next_only_if_there_is_one() {
        let size = PageSize::asked(2).unwrap();
        assert_eq!(size.rows_to_read(), 3);
        let page = Page::cut(vec![1, 2, 3], size);
        assert_eq!(
            (page.rows.as_slice(), page.next(|row| Number(*row))),
            (&[1, 2][..], Some(Number(2)))
        );
        let page = Page::cut(vec![1, 2], size).map(|row| row * 10);
        assert_eq!((page.rows.as_slice(), page.next(|row| Number(*row))), (&[10, 20][..], None));
    }

    #[test]
    fn a_page_that_is_too_long_is_refused() {
        assert_eq!(PageSize::asked(0), Ok(PageSize::USUAL));
        assert_eq!(PageSize::asked(200), Ok(PageSize::MAX));
        assert_eq!(PageSize::asked(1).map(PageSize::rows_to_read), Ok(2));
        for size in [-1, 201, i64::MAX, i64::MIN] {
            let broken = PageSize::asked(size).unwrap_err();
            assert_eq!((broken.code(), broken.field()), ("page_size_range", "page_size"));
        }
    }

    #[test]
    fn no_token_is_the_first_page() {
        assert_eq!(Number::of_token(""), Ok(None));
    }

    proptest! {
        #[test]
        fn a_place_reads_back(number: i64) {
            let place = Number(number);
            prop_assert_eq!(Number::of_token(&place.token()), Ok(Some(place)));
        }

        #[test]
        fn any_other_token_is_refused(token in "\\PC{1,40}|[0-9a-fA-F]{1,40}") {
            match Number::of_token(&token) {
                Ok(place) => prop_assert_eq!(place.map(|place| place.token()), Some(token)),
                Err(broken) => prop_assert_eq!(broken.code(), "page_token_shape"),
            }
        }
    }
}
