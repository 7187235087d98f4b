//! The packages of programs: they differ in their names, and one in a sentence.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use prost::Message as _;
use prost_types::FileDescriptorSet;

use super::proto::FILE_DESCRIPTOR_SET;
use crate::domain::error::NO_KEY_WAS_FOUND;

/// Our own name of the package.
const OWN: &str = "codepix_classic";

/// The packages that well-known programs were generated with.
const KNOWN: [(&str, &str); 5] = [
    ("github.com.codeedu.codepix", NO_KEY_WAS_FOUND),
    ("github.com.mazyn.codepix", NO_KEY_WAS_FOUND),
    ("github.com.mrchampz.codepix", NO_KEY_WAS_FOUND),
    ("github.com.rcttavares.codepix", NO_KEY_WAS_FOUND),
    ("github.com.rodrigoorlandini.codepixgo", "Pix Key was not found."),
];

/// A package under which the service is served; written `package` or `package=sentence`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassicPackage {
    name: String,
    not_found: String,
}

impl ClassicPackage {
    /// Those of well-known programs.
    pub fn defaults() -> Vec<Self> {
        let package =
            |(name, text): &(&str, &str)| Self { name: (*name).into(), not_found: (*text).into() };
        KNOWN.iter().map(package).collect()
    }

    /// The full name of the service in it.
    pub fn service(&self) -> String {
        format!("{}.PixService", self.name)
    }

    /// What its programs compare the message of a failed lookup with.
    pub(super) fn not_found(&self) -> &str {
        &self.not_found
    }

    /// The proto with this package, for reflection.
    pub fn descriptors(&self) -> Vec<u8> {
        let Ok(mut set) = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET) else {
            return Vec::new();
        };
        let (from, to) = (format!(".{OWN}."), format!(".{}.", self.name));
        let renamed = |name: &mut Option<String>| {
            if let Some(rest) = name.as_deref().and_then(|name| name.strip_prefix(&from)) {
                *name = Some(format!("{to}{rest}"));
            }
        };
        for file in &mut set.file {
            file.name = Some(format!("{OWN}/{}.proto", self.name));
            file.package = Some(self.name.clone());
            for message in &mut file.message_type {
                message.field.iter_mut().for_each(|field| renamed(&mut field.type_name));
            }
            for method in file.service.iter_mut().flat_map(|service| &mut service.method) {
                renamed(&mut method.input_type);
                renamed(&mut method.output_type);
            }
        }
        set.encode_to_vec()
    }
}

impl FromStr for ClassicPackage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, not_found) = text.split_once('=').unwrap_or((text, NO_KEY_WAS_FOUND));
        let name = name.trim();
        let is_label = |label: &str| {
            let mut bytes = label.bytes();
            bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
                && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if name.split('.').all(is_label) && !not_found.is_empty() {
            return Ok(Self { name: name.to_owned(), not_found: not_found.to_owned() });
        }
        Err("a package is written github.com.codeedu.codepix or \
             github.com.codeedu.codepix=what a failed lookup says"
            .to_owned())
    }
}

impl Display for ClassicPackage {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.name, self.not_found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_reads_back_and_anything_else_is_refused() {
        for package in ClassicPackage::defaults() {
            assert_eq!(package.to_string().parse(), Ok(package));
        }
        let short: ClassicPackage = "a.b".parse().unwrap();
        assert_eq!(
            (short.service().as_str(), short.not_found()),
            ("a.b.PixService", NO_KEY_WAS_FOUND)
        );
        for wrong in ["", "a..b", "a/b", "1a", "a=", "a b"] {
            assert!(wrong.parse::<ClassicPackage>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn reflection_shows_the_programs_own_package() {
        let [package, ..] = &ClassicPackage::defaults()[..] else { panic!("no package") };
        let set = FileDescriptorSet::decode(package.descriptors().as_slice()).unwrap();
        let file = &set.file[0];
        assert_eq!(file.package(), "github.com.codeedu.codepix");
        assert_eq!(
            file.service[0].method[1].output_type(),
            ".github.com.codeedu.codepix.PixKeyInfo"
        );
        let info = file.message_type.iter().find(|it| it.name() == "PixKeyInfo").unwrap();
        assert_eq!(info.field[3].type_name(), ".github.com.codeedu.codepix.Account");
    }
}
