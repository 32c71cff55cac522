//! The addresses that the portal lists for a client pair.
//!
//! In production the portals take calls from listed addresses only: at most four static public IPv4 addresses in
//! India for each client (NIC, onboarding pages), and all GSTINs of the PAN come from them. Whether an address
//! lies in India cannot be told without the network; the portal's own scrutiny decides that.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Most addresses that the portal lists for one client.
pub const LISTED_ADDRESSES_MAX: usize = 4;

/// Blocks that are no address of anybody on the public internet, with what they are for (IANA IPv4
/// special-purpose address registry): first address, length of the prefix, use.
const SPECIAL: [(Ipv4Addr, u32, &str); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "names this network only"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "is private: it exists behind a router only"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "is shared by the customers of a provider (carrier NAT)"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "is this machine itself"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "is made up by a machine without a network (link-local)"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "is private: it exists behind a router only"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "is set aside for protocols"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "is set aside for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "is set aside for relays"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "is private: it exists behind a router only"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "is set aside for measurements"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "is set aside for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "is set aside for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "is a group of receivers (multicast)"),
    (Ipv4Addr::new(255, 255, 255, 255), 32, "is everybody on a network (broadcast)"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "is reserved"),
];

/// Why a text is no address that the portal could list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// No IPv4 address at all.
    #[error("`{found}` is no IPv4 address: write four numbers from 0 to 255 with points between them, as in 8.8.8.8")]
    Malformed {
        /// What was written.
        found: String,
    },
    /// A range in place of an address.
    #[error("`{found}` is a range: the portal lists single addresses, so write each of them")]
    Range {
        /// What was written.
        found: String,
    },
    /// An IPv6 address.
    #[error("{found} is an IPv6 address and the portal lists IPv4 only: give the IPv4 address that calls leave from")]
    Ipv6 {
        /// What was written.
        found: Ipv6Addr,
    },
    /// An address that nobody has on the public internet.
    #[error(
        "{found} {what}, so the portal never sees it: ask whoever runs the network for the static public address \
         that calls leave from"
    )]
    NotPublic {
        /// What was written.
        found: Ipv4Addr,
        /// What the address is for.
        what: &'static str,
    },
    /// One address twice.
    #[error("{found} stands twice in the list: write it once")]
    Twice {
        /// Which address.
        found: PublicIpv4,
    },
    /// More addresses than the portal lists.
    #[error(
        "{found} addresses: the portal lists at most {LISTED_ADDRESSES_MAX} for a client; let calls leave through \
         fewer, for instance through one proxy"
    )]
    TooMany {
        /// How many there are.
        found: usize,
    },
}

/// An IPv4 address that a machine can have on the public internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicIpv4(Ipv4Addr);

impl PublicIpv4 {
    /// Takes an address.
    ///
    /// # Errors
    /// [`AddressError::NotPublic`] for private, reserved, documentation and similar addresses.
    pub fn new(address: Ipv4Addr) -> Result<Self, AddressError> {
        let inside = |(first, length, _): &&(Ipv4Addr, u32, &str)| {
            let shift = u32::BITS - length;
            address.to_bits() >> shift == first.to_bits() >> shift
        };
        match SPECIAL.iter().find(inside) {
            Some((_, _, what)) => Err(AddressError::NotPublic { found: address, what }),
            None => Ok(Self(address)),
        }
    }

    /// Reads four numbers with points between them; blanks around them are dropped.
    ///
    /// # Errors
    /// [`AddressError`] saying what the text is instead.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        match text.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => Self::new(address),
            Ok(IpAddr::V6(found)) => Err(AddressError::Ipv6 { found }),
            Err(_) if is_range(text) => Err(AddressError::Range { found: text.to_owned() }),
            Err(_) => Err(AddressError::Malformed { found: text.to_owned() }),
        }
    }

    /// The address.
    #[must_use]
    pub const fn get(self) -> Ipv4Addr {
        self.0
    }
}

/// `8.8.8.0/24`, `8.8.8.1-8.8.8.9`, `8.8.8.1-9`.
fn is_range(text: &str) -> bool {
    text.split_once(['/', '-']).is_some_and(|(first, _)| first.trim().parse::<IpAddr>().is_ok())
}

impl fmt::Display for PublicIpv4 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for PublicIpv4 {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl Serialize for PublicIpv4 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PublicIpv4 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The addresses listed at the portal for one client: at most [`LISTED_ADDRESSES_MAX`], each once, in the order given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ListedAddresses(Vec<PublicIpv4>);

impl ListedAddresses {
    /// Takes a list.
    ///
    /// # Errors
    /// [`AddressError::Twice`] and [`AddressError::TooMany`].
    pub fn new(addresses: Vec<PublicIpv4>) -> Result<Self, AddressError> {
        let twice = addresses.iter().enumerate().find(|(at, found)| addresses.iter().take(*at).any(|it| it == *found));
        if let Some((_, found)) = twice {
            return Err(AddressError::Twice { found: *found });
        }
        if addresses.len() > LISTED_ADDRESSES_MAX {
            return Err(AddressError::TooMany { found: addresses.len() });
        }
        Ok(Self(addresses))
    }

    /// Reads each text as an address, and the whole as a list. All that is wrong is told at once.
    ///
    /// # Errors
    /// One [`AddressError`] for each text that is no public address, or else one for the list.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, Vec<AddressError>> {
        let (mut addresses, mut errors) = (Vec::new(), Vec::new());
        for text in texts {
            match PublicIpv4::parse(text) {
                Ok(address) => addresses.push(address),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Self::new(addresses).map_err(|error| vec![error]) } else { Err(errors) }
    }

    /// The addresses.
    #[must_use]
    pub fn as_slice(&self) -> &[PublicIpv4] {
        &self.0
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether calls from this address are let in, as far as is known here.
    #[must_use]
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        self.0.iter().any(|listed| listed.0 == address)
    }
}

impl<'de> Deserialize<'de> for ListedAddresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for ListedAddresses {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, address) in self.0.iter().enumerate() {
            let joint = if index == 0 { "" } else { ", " };
            write!(formatter, "{joint}{address}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        PublicIpv4::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn public_addresses_pass_up_to_the_edges_of_the_special_blocks() {
        for text in ["8.8.8.8", " 49.206.1.7 ", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0"] {
            assert_eq!(PublicIpv4::parse(text).unwrap().to_string(), text.trim());
        }
    }

    #[test]
    fn an_address_that_nobody_has_in_public_is_refused_with_what_it_is() {
        for (text, what) in [
            ("10.1.2.3", "private"),
            ("172.31.255.255", "private"),
            ("192.168.0.10", "private"),
            ("100.64.0.1", "carrier NAT"),
            ("127.0.0.1", "this machine"),
            ("169.254.7.7", "link-local"),
            ("203.0.113.9", "documentation"),
            ("198.51.100.1", "documentation"),
            ("198.19.0.1", "measurements"),
            ("239.1.1.1", "multicast"),
            ("255.255.255.255", "broadcast"),
            ("250.0.0.1", "reserved"),
            ("0.0.0.0", "this network"),
        ] {
            assert!(told(text).contains(what), "{}", told(text));
        }
    }

    #[test]
    fn what_is_no_single_ipv4_address_is_told_apart() {
        assert!(told("8.8.8.0/24").contains("is a range"), "{}", told("8.8.8.0/24"));
        assert!(told("8.8.8.1-9").contains("is a range"));
        assert!(told("2001:4860:4860::8888").contains("IPv4 only"));
        for text in ["", "8.8.8", "8.8.8.300", "008.8.8.8", "gateway.example"] {
            assert!(told(text).contains("is no IPv4 address"), "{text}");
        }
    }

    #[test]
    fn a_list_has_four_different_addresses_at_most_and_tells_all_that_is_wrong() {
        let four = ["8.8.8.1", "8.8.8.2", "8.8.8.3", "8.8.8.4"];
        assert_eq!(ListedAddresses::parse(four).unwrap().to_string(), four.join(", "));
        let five = ListedAddresses::parse(four.into_iter().chain(["8.8.8.5"])).unwrap_err();
        assert_eq!(five, [AddressError::TooMany { found: 5 }]);
        let twice = ListedAddresses::parse(["8.8.8.1", "8.8.8.1"]).unwrap_err();
        assert!(twice.first().unwrap().to_string().contains("8.8.8.1 stands twice"), "{twice:?}");
        assert_eq!(ListedAddresses::parse(["10.0.0.1", "8.8.8.1", "x"]).unwrap_err().len(), 2);
    }

    #[test]
    fn a_stored_list_is_checked_when_it_is_read() {
        let list: ListedAddresses = serde_json::from_str(r#"["8.8.8.1"]"#).unwrap();
        assert!(list.contains(Ipv4Addr::new(8, 8, 8, 1)) && !list.contains(Ipv4Addr::new(8, 8, 8, 2)));
        assert_eq!(serde_json::to_string(&list).unwrap(), r#"["8.8.8.1"]"#);
        assert!(serde_json::from_str::<ListedAddresses>(r#"["10.0.0.1"]"#).is_err());
    }
}
