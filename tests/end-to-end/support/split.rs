//! The hub and each bank as processes of their own, so that a test can stop one of them and a
//! state lasts until the test goes on.

use super::{Account, HubOptions, Scene, TestHub};

/// Hub, directory and read side in one process; banks 001 and 002 in one process each.
#[derive(Debug)]
pub(crate) struct Split {
    /// The hub proper, alone.
    pub(crate) hub: TestHub,
    /// Directory and read side; only kept alive.
    _desk: TestHub,
    one: TestHub,
    two: TestHub,
    /// Whom to ask.
    pub(crate) scene: Scene,
}

impl Split {
    /// Starts all four; `deadline` as in [`HubOptions`].
    pub(crate) async fn start(deadline: &'static str) -> Self {
        let part = |name: &'static str, contexts: &'static str| HubOptions {
            name,
            contexts,
            deadline,
            ..HubOptions::default()
        };
        let desk = TestHub::with(part("desk", "pix-keys,balances")).await;
        let hub = HubOptions { pix_keys_url: desk.url(), ..part("hub", "transfers") };
        let hub = desk.beside(hub).await;
        let bank = |name: &'static str, bank: &'static str| HubOptions {
            bank,
            pix_keys_url: desk.url(),
            ..part(name, "banking")
        };
        let one = hub.beside(bank("bank-one", "00000001")).await;
        let two = hub.beside(bank("bank-two", "00000002")).await;
        let mut scene = hub.scene();
        scene.directory = desk.client().clone();
        scene.balances = desk.client().clone();
        scene.banking = one.client().clone();
        scene.own.insert("00000002".to_owned(), two.client().clone());
        Self { hub, _desk: desk, one, two, scene }
    }

    /// A customer at each bank, the first with cash.
    pub(crate) async fn customers(&self, centavos: i64) -> (Account, Account) {
        let (one, two) = (self.scene.enrol("001").await, self.scene.enrol("002").await);
        let ana = self.scene.account(&one, "Ana Souza", centavos).await;
        (ana, self.scene.account(&two, "Bia Lima", 0).await)
    }

    /// `kill -9` of the hub.
    pub(crate) fn kill_hub(&mut self) {
        self.hub.kill();
    }

    /// The hub is back.
    pub(crate) async fn restart_hub(&mut self) {
        self.hub.restart().await;
        self.scene.transfers = self.hub.client().clone();
    }

    /// `kill -9` of bank 001.
    pub(crate) fn kill_one(&mut self) {
        self.one.kill();
    }

    /// Bank 001 is back.
    pub(crate) async fn restart_one(&mut self) {
        self.one.restart().await;
        self.scene.banking = self.one.client().clone();
    }

    /// `kill -9` of bank 002.
    pub(crate) fn kill_two(&mut self) {
        self.two.kill();
    }

    /// Bank 002 is back.
    pub(crate) async fn restart_two(&mut self) {
        self.two.restart().await;
        self.scene.own.insert("00000002".to_owned(), self.two.client().clone());
    }
}
