//! Lists of the hub come in pages; here they become one list, up to a limit.

use super::error::ClientError;

/// Most entries of one page that the hub gives.
const PAGE_SIZE_MAX: usize = 200;

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// Its entries.
    pub entries: Vec<T>,
    /// Where the next one begins; empty after the last.
    pub next: String,
}

/// Asks for page after page until there are `limit` entries or no more.
///
/// `ask` gets the size of a page and the token where it begins.
///
/// # Errors
/// That of `ask`.
pub async fn collect_pages<T>(
    limit: usize,
    mut ask: impl AsyncFnMut(i32, String) -> Result<Page<T>, ClientError>,
) -> Result<Vec<T>, ClientError> {
    let mut entries = Vec::new();
    let mut next = String::new();
    while entries.len() < limit {
        let size = limit.saturating_sub(entries.len()).min(PAGE_SIZE_MAX);
        let page = ask(i32::try_from(size).unwrap_or(i32::MAX), next).await?;
        entries.extend(page.entries);
        if page.next.is_empty() {
            break;
        }
        next = page.next;
    }
    entries.truncate(limit);
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn numbers(limit: usize) -> (Vec<usize>, Vec<i32>) {
        let mut sizes = Vec::new();
        let found = collect_pages(limit, async |size, token: String| {
            sizes.push(size);
            let from: usize = token.parse().unwrap_or_default();
            let to = from.saturating_add(usize::try_from(size).unwrap()).min(450);
            let next = if to == 450 { String::new() } else { to.to_string() };
            Ok(Page { entries: (from..to).collect(), next })
        });
        (found.await.unwrap(), sizes)
    }

    #[tokio::test]
    async fn pages_are_asked_for_until_the_limit() {
        assert_eq!(numbers(10).await, ((0..10).collect(), vec![10]));
        assert_eq!(numbers(250).await, ((0..250).collect(), vec![200, 50]));
    }

    #[tokio::test]
    async fn pages_are_asked_for_until_the_end() {
        assert_eq!(numbers(1_000).await, ((0..450).collect(), vec![200, 200, 200]));
        assert_eq!(numbers(0).await, (vec![], vec![]));
    }
}
