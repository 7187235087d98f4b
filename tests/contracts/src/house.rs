//! How the contexts are called in the catalogue, and where their pages are.

use codepix::config::ContextName;

/// A context as the catalogue shows it.
#[derive(Clone, Copy, Debug)]
pub struct House {
    /// Its domain.
    pub domain: &'static str,
    /// Its service.
    pub service: &'static str,
    /// Folder of its protocol buffers.
    pub proto: &'static str,
    /// The protocol buffers by which existing bank programs call it.
    pub classic_proto: Option<&'static str>,
    /// Where its REST routes are served.
    pub rest_port: u16,
    /// Its data store: the schema in the database.
    pub store: &'static str,
    /// The team that owns it.
    pub team: &'static str,
}

/// The house of a context.
pub const fn of(context: ContextName) -> House {
    match context {
        ContextName::PixKeys => House {
            domain: "PixKeys",
            service: "PixKeysService",
            proto: "pix_keys",
            classic_proto: Some("pix_service.proto"),
            rest_port: 8080,
            store: "pix_keys",
            team: "directory",
        },
        ContextName::Transfers => House {
            domain: "Transfers",
            service: "TransfersService",
            proto: "transfers",
            classic_proto: None,
            rest_port: 8080,
            store: "transfers",
            team: "hub",
        },
        ContextName::Banking => House {
            domain: "Banking",
            service: "BankingService",
            proto: "banking",
            classic_proto: None,
            rest_port: 8080,
            store: "banking",
            team: "banks",
        },
        ContextName::Balances => House {
            domain: "Balances",
            service: "BalancesService",
            proto: "balances",
            classic_proto: None,
            rest_port: 3003,
            store: "balances",
            team: "read-side",
        },
    }
}

/// The context of that name.
pub fn named(context: &str) -> Option<House> {
    ContextName::ALL.into_iter().find(|known| known.as_str() == context).map(of)
}

/// The domain of the whole product, which has the contexts' domains in it.
pub const WHOLE: &str = "CodePix";

/// Version of pages whose subject has none of its own.
pub const VERSION: &str = "1.0.0";

impl House {
    /// Folder of its service's pages.
    pub fn folder(&self) -> String {
        format!("domains/{}/services/{}", self.domain, self.service)
    }
}
