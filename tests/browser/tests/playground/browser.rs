//! Chromium through its driver, with a profile that is gone afterwards.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use thirtyfour::error::WebDriverResult;
use thirtyfour::{
    By, ChromiumLikeCapabilities as _, DesiredCapabilities, Key, WebDriver, WebElement,
};
use tokio::time::Instant;

use super::process::{LOOK, PATIENCE, Process};

/// As root there is no sandbox; nothing is asked of the network.
const WORDS: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--window-size=1400,900",
];

/// A browser of one test.
#[derive(Debug)]
pub(crate) struct Browser {
    driver: WebDriver,
    _profile: TempDir,
    _process: Process,
}

impl Browser {
    /// A browser without a past.
    pub(crate) async fn start() -> WebDriverResult<Self> {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0");
        let mut process = Process::start(command);
        let port = process.says(port).await;
        let profile = tempfile::tempdir().unwrap();
        let mut capabilities = DesiredCapabilities::chrome();
        for word in WORDS {
            capabilities.add_arg(word)?;
        }
        capabilities.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await?;
        Ok(Self { driver, _profile: profile, _process: process })
    }

    /// Goes to a page.
    pub(crate) async fn open(&self, url: &str) -> WebDriverResult<()> {
        self.driver.goto(url).await
    }

    /// A second window, with that page, in front.
    pub(crate) async fn new_window(&self, url: &str) -> WebDriverResult<()> {
        let window = self.driver.new_window().await?;
        self.driver.switch_to_window(window).await?;
        self.open(url).await
    }

    /// Back to the first window.
    pub(crate) async fn first_window(&self) -> WebDriverResult<()> {
        let windows = self.driver.windows().await?;
        self.driver.switch_to_window(windows.first().unwrap().clone()).await
    }

    /// Waits until the texts of the elements together have all these words.
    pub(crate) async fn sees(&self, elements: &str, words: &[&str]) {
        self.waits(elements, |text| words.iter().all(|word| text.contains(word))).await;
    }

    /// Waits until they have this word, and are not what they were.
    pub(crate) async fn sees_other(&self, elements: &str, before: &str, word: &str) {
        self.waits(elements, |text| text != before && text.contains(word)).await;
    }

    async fn waits(&self, elements: &str, is_there: impl Fn(&str) -> bool) {
        let started = Instant::now();
        loop {
            let text = self.text(elements).await.unwrap_or_default();
            if is_there(&text) {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{elements} stayed\n{text}");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// What the elements say.
    pub(crate) async fn text(&self, elements: &str) -> WebDriverResult<String> {
        let mut text = String::new();
        for element in self.driver.find_all(By::Css(elements)).await? {
            text.push_str(&element.text().await?);
            text.push('\n');
        }
        Ok(text)
    }

    /// Clicks on an element.
    pub(crate) async fn click(&self, element: &str) -> WebDriverResult<()> {
        self.driver.find(By::Css(element)).await?.click().await
    }

    /// Clicks on the one of these elements that has this text.
    pub(crate) async fn click_text(&self, elements: &str, text: &str) -> WebDriverResult<()> {
        let mut found: Option<WebElement> = None;
        for element in self.driver.find_all(By::Css(elements)).await? {
            if element.text().await?.trim() == text {
                found = Some(element);
            }
        }
        found.unwrap_or_else(|| panic!("no {elements} is called {text}")).click().await
    }

    /// Replaces what an editor holds by what is typed.
    pub(crate) async fn type_into(&self, editor: &str, text: &str) -> WebDriverResult<()> {
        self.click(&format!("{editor} .CodeMirror-lines")).await?;
        let keys = self.driver.action_chain().key_down(Key::Control).send_keys("a");
        let keys = keys.key_up(Key::Control).send_keys(Key::Delete).send_keys(text);
        keys.perform().await
    }

    /// Where everything that the page needed came from.
    pub(crate) async fn loaded(&self) -> WebDriverResult<Vec<String>> {
        let script = "return performance.getEntriesByType('resource').map((it) => it.name)";
        self.driver.execute(script, Vec::new()).await?.convert()
    }

    /// Keeps a picture of what is seen.
    pub(crate) async fn screenshot(&self, file: &Path) -> WebDriverResult<()> {
        self.driver.screenshot(file).await
    }

    /// Ends the browser.
    pub(crate) async fn end(self) -> WebDriverResult<()> {
        self.driver.clone().quit().await
    }
}

/// The port that the driver found free.
fn port(printed: &str) -> Option<u16> {
    let (_, rest) = printed.split_once("started successfully on port ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    rest.starts_with(&format!("{digits}.")).then(|| digits.parse().ok()).flatten()
}
