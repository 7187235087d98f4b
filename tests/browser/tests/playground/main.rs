//! The playground of the real binary in Chromium: opened, clicked, typed into, read.

#[cfg(test)]
mod browser;
#[cfg(test)]
mod hub;
#[cfg(test)]
mod process;

use std::path::Path;

use thirtyfour::error::WebDriverResult;

use browser::Browser;
use hub::Hub;

/// Where screenshots are left to look at.
const SCREENSHOTS: &str = env!("CARGO_TARGET_TMPDIR");

/// The examples, by the names of their operations.
const EXAMPLES: [&str; 6] = ["RegisterKey", "LookUp", "Follow", "Send", "Balance", "Statement"];

async fn screenshot(browser: &Browser, name: &str) -> WebDriverResult<()> {
    browser.screenshot(&Path::new(SCREENSHOTS).join(name)).await
}

/// The playground, as it opens for the first time.
async fn opened(hub: &Hub) -> WebDriverResult<Browser> {
    let browser = Browser::start().await?;
    browser.open(&hub.url("/graphql")).await?;
    browser.sees(".graphiql-tab", &EXAMPLES).await;
    Ok(browser)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_typed_and_run_and_its_answer_is_seen() -> WebDriverResult<()> {
    let hub = Hub::with_demo_data().await;
    let browser = opened(&hub).await?;
    browser.click("button.graphiql-tab-add").await?;
    browser.type_into(".graphiql-query-editor", "{ banks { nodes { code name } } }").await?;
    browser.click("button.graphiql-execute-button").await?;
    browser.sees(".result-window", &["\"code\": \"001\"", "\"name\": \"BBX\""]).await;
    screenshot(&browser, "playground-typed.png").await?;

    browser.type_into(".graphiql-query-editor", "{ nothing }").await?;
    browser.click("button.graphiql-execute-button").await?;
    browser.sees(".result-window", &["graphql_validation_failed", "\"line\": 1"]).await;
    browser.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_example_is_chosen_and_run_and_nothing_is_loaded_from_elsewhere() -> WebDriverResult<()>
{
    let hub = Hub::with_demo_data().await;
    let browser = opened(&hub).await?;
    // The one that is in front, with its variables, and again: another key.
    browser.sees(".graphiql-editor-tool", &["\"requestId\": \"$new\""]).await;
    browser.click("button.graphiql-execute-button").await?;
    browser.sees(".result-window", &["\"ownerName\": \"User CTER 1\""]).await;
    let first = browser.text(".result-window").await?;
    browser.click("button.graphiql-execute-button").await?;
    browser.sees_other(".result-window", &first, "\"ownerName\": \"User CTER 1\"").await;
    browser.click_text("button.graphiql-tab-button", "Send").await?;
    browser.click("button.graphiql-execute-button").await?;
    browser.sees(".result-window", &["\"state\": \"REQUESTED\"", "\"amount\": \"12.34\""]).await;
    browser.click_text("button.graphiql-tab-button", "Balance").await?;
    browser.click("button.graphiql-execute-button").await?;
    browser.sees(".result-window", &["\"name\": \"User BBX 1\"", "\"kind\": \"EMAIL\""]).await;
    screenshot(&browser, "playground.png").await?;

    // The schema is there too: the explorer tells what the graph offers.
    browser.click("button[aria-label='Show Documentation Explorer']").await?;
    browser.sees(".graphiql-doc-explorer", &["Query", "Mutation", "Subscription"]).await;
    screenshot(&browser, "playground-documentation.png").await?;
    let elsewhere = browser.loaded().await?;
    assert!(!elsewhere.is_empty());
    for address in elsewhere {
        assert!(address.starts_with(&hub.url("/")), "{address}");
    }
    browser.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_is_followed_while_another_window_sends_it() -> WebDriverResult<()> {
    let hub = Hub::with_demo_data().await;
    let browser = opened(&hub).await?;
    browser.click_text("button.graphiql-tab-button", "Follow").await?;
    browser.click("button.graphiql-execute-button").await?;
    browser.new_window(&hub.url("/graphql")).await?;
    browser.sees(".graphiql-tab", &EXAMPLES).await;
    browser.click_text("button.graphiql-tab-button", "Send").await?;
    browser.click("button.graphiql-execute-button").await?;
    browser.sees(".result-window", &["\"state\": \"REQUESTED\""]).await;
    browser.first_window().await?;
    browser.sees(".result-window", &["\"state\": \"COMPLETED\"", "User CTER 1"]).await;
    screenshot(&browser, "playground-follow.png").await?;
    browser.end().await
}
