//! Addresses: which ones a request for listing may name, and which one a caller has.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::indian;
use super::problem::{Problem, Problems};
use super::settings::RegistrationSettings;

/// How many addresses a client pair may have (NIC, onboarding page).
pub(crate) const ADDRESSES_MAX: usize = 4;
/// Length of an address as text beyond which none is read.
const TEXT_MAX: usize = 64;

/// Blocks that are nobody's on the internet, and what they are for (IANA's registry of special addresses).
const NOT_PUBLIC: [(&str, &str); 14] = [
    ("0.0.0.0/8", "it means \"this network\""),
    ("10.0.0.0/8", "it is private (only your own network knows it)"),
    ("100.64.0.0/10", "it is shared by a provider's customers (carrier-grade NAT)"),
    ("127.0.0.0/8", "it is the machine itself (loopback)"),
    ("169.254.0.0/16", "it is link-local (a machine gives it to itself when nobody else does)"),
    ("172.16.0.0/12", "it is private (only your own network knows it)"),
    ("192.0.0.0/24", "it is reserved for protocols"),
    ("192.0.2.0/24", "it is reserved for documents"),
    ("192.168.0.0/16", "it is private (only your own network knows it)"),
    ("198.18.0.0/15", "it is reserved for measurements"),
    ("198.51.100.0/24", "it is reserved for documents"),
    ("203.0.113.0/24", "it is reserved for documents"),
    ("224.0.0.0/4", "it is a multicast address"),
    ("240.0.0.0/4", "it is reserved"),
];

/// A block of IPv4 addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    first: u32,
    mask: u32,
}

impl Block {
    /// Reads `a.b.c.d/bits`; nothing for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (first, bits) = text.split_once('/')?;
        let first = u32::from(first.parse::<Ipv4Addr>().ok()?);
        let bits: u32 = bits.parse().ok().filter(|bits| *bits <= 32)?;
        let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or(0);
        (first & !mask == 0).then_some(Self { first, mask })
    }

    /// Its first and its last address.
    #[cfg(test)]
    pub(crate) const fn ends(self) -> (u32, u32) {
        (self.first, self.first | !self.mask)
    }

    pub(crate) fn contains(self, address: Ipv4Addr) -> bool {
        u32::from(address) & self.mask == self.first
    }
}

fn is_within(block: &str, address: Ipv4Addr) -> bool {
    Block::parse(block).is_some_and(|block| block.contains(address))
}

/// Reads the addresses of a request for listing; every one that cannot be listed is named with its reason.
pub(crate) fn read(texts: &[&str], settings: &RegistrationSettings) -> Result<Vec<Ipv4Addr>, Problems> {
    let mut problems = Problems::default();
    let mut addresses: Vec<Ipv4Addr> = Vec::new();
    let texts: Vec<&str> = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    let problem = |found: &str, message: String| Problem::at("addresses", message).found(shortened(found));
    for text in &texts {
        match read_one(text, settings) {
            Err(reason) => problems.add(problem(text, reason)),
            Ok(address) if addresses.contains(&address) => {
                problems.add(problem(text, format!("{address} is listed twice: name each address once")));
            }
            Ok(address) => addresses.push(address),
        }
    }
    if texts.is_empty() {
        problems.add(Problem::at(
            "addresses",
            "no address is given: name the public IPv4 addresses that your calls come from, one to four",
        ));
    }
    if texts.len() > ADDRESSES_MAX {
        let message = format!(
            "{} addresses are given, and a client pair may have {ADDRESSES_MAX} at most: send all calls through fewer",
            texts.len()
        );
        problems.add(Problem::at("addresses", message));
    }
    problems.or(addresses)
}

fn read_one(text: &str, settings: &RegistrationSettings) -> Result<Ipv4Addr, String> {
    let shown = shortened(text);
    if text.len() > TEXT_MAX {
        return Err(format!("{shown} is no IPv4 address: expected four numbers such as 117.200.1.10"));
    }
    if text.contains('/') {
        return Err(format!("{shown} is a block: name single addresses"));
    }
    let address = match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address,
        Ok(IpAddr::V6(_)) => return Err(format!("{shown} is an IPv6 address: only IPv4 addresses are listed")),
        Err(_) => {
            return Err(format!(
                "{shown} is no IPv4 address: expected four numbers from 0 to 255, without leading zeros, such as 117.200.1.10"
            ));
        }
    };
    if let Some((_, reason)) = NOT_PUBLIC.iter().find(|(block, _)| is_within(block, address)) {
        return Err(format!(
            "{address} is no public address: {reason}; name the one your calls leave your network with"
        ));
    }
    let is_named = || settings.indian_blocks.iter().any(|block| is_within(block, address));
    if !indian::is_known(address) && !is_named() {
        return Err(format!(
            "{address} is not known as an Indian address: only static addresses in India are listed. The emulator may be \
             wrong here, since it knows four fifths of India's addresses and no small block: where yours does lie in India, \
             name its block in the setting registration.indian_blocks; the real portal looks for itself"
        ));
    }
    Ok(address)
}

/// A text as it is shown in a message: its beginning, on one line.
pub(crate) fn shortened(text: &str) -> String {
    let line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if line.chars().count() <= TEXT_MAX {
        return line;
    }
    line.chars().take(TEXT_MAX).chain("...".chars()).collect()
}

/// The public address a caller has in the portal's eyes.
pub(crate) fn public_address(peer: Option<IpAddr>, settings: &RegistrationSettings) -> IpAddr {
    let peer = peer.map(|peer| peer.to_canonical());
    let stands_for = |text: &str| text.parse::<IpAddr>().ok();
    let named = peer.and_then(|peer| by_peer(&settings.callers, peer)).and_then(|text| stands_for(text));
    let own = named.or_else(|| peer.filter(|peer| !peer.is_loopback()));
    own.or_else(|| stands_for(&settings.loopback_stands_for)).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

fn by_peer(callers: &BTreeMap<String, String>, peer: IpAddr) -> Option<&String> {
    callers.iter().find(|(known, _)| known.parse() == Ok(peer)).map(|(_, public)| public)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let problems = read(&[text], &RegistrationSettings::default()).unwrap_err();
        problems.list().first().map(|problem| problem.message.clone()).unwrap_or_default()
    }

    #[test]
    fn each_address_that_cannot_be_listed_has_its_reason() {
        for (text, reason) in [
            ("10.1.2.3", "private"),
            ("172.31.255.255", "private"),
            ("192.168.0.1", "private"),
            ("127.0.0.1", "loopback"),
            ("100.64.0.1", "carrier-grade"),
            ("169.254.1.1", "link-local"),
            ("203.0.113.7", "documents"),
            ("224.0.0.1", "multicast"),
            ("255.255.255.255", "reserved"),
            ("8.8.8.8", "not known as an Indian address"),
            ("2001:db8::1", "IPv6"),
            ("::ffff:117.200.1.10", "IPv6"),
            ("117.200.1", "no IPv4 address"),
            ("117.200.1.010", "leading zeros"),
            ("117.200.1.256", "no IPv4 address"),
            ("117.200.0.0/16", "is a block"),
            ("example.org", "no IPv4 address"),
        ] {
            let message = refused(text);
            assert!(message.contains(reason), "{text}: {message}");
        }
    }

    #[test]
    fn an_address_outside_of_the_known_blocks_is_taken_once_its_block_is_named() {
        let mut settings = RegistrationSettings::default();
        assert!(read(&["103.1.2.3"], &settings).is_err());
        settings.indian_blocks.push("103.1.0.0/16".into());
        assert_eq!(read(&["103.1.2.3"], &settings).unwrap(), [Ipv4Addr::new(103, 1, 2, 3)]);
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let texts = ["10.0.0.1", "117.200.1.10", "117.200.1.10", "", "8.8.8.8", "117.200.1.11"];
        let problems = read(&texts, &RegistrationSettings::default()).unwrap_err();
        let messages: Vec<&str> = problems.list().iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(messages.len(), 4, "{messages:?}");
        assert!(messages.iter().any(|message| message.contains("listed twice")), "{messages:?}");
        assert!(messages.iter().any(|message| message.starts_with("5 addresses")), "{messages:?}");
    }

    #[test]
    fn every_default_block_is_read_and_holds_no_special_address() {
        for block in indian::DELEGATED.iter().chain(indian::CLOUD) {
            let parsed = Block::parse(block).unwrap_or_else(|| panic!("{block}"));
            let first = Ipv4Addr::from(parsed.first);
            assert!(NOT_PUBLIC.iter().all(|(special, _)| !is_within(special, first)), "{block}");
        }
        assert_eq!(Block::parse("117.192.0.1/10"), None);
        assert_eq!(Block::parse("1.2.3.4/33"), None);
        assert!(Block::parse("0.0.0.0/0").is_some_and(|all| all.contains(Ipv4Addr::new(1, 2, 3, 4))));
    }

    #[test]
    fn a_caller_stands_for_the_address_the_settings_give() {
        let mut settings = RegistrationSettings::default();
        settings.callers.insert("127.0.0.2".into(), "49.32.0.9".into());
        let seen = |peer: &str| public_address(Some(peer.parse().unwrap()), &settings).to_string();
        assert_eq!(seen("127.0.0.1"), "117.200.1.10");
        assert_eq!(seen("127.0.0.2"), "49.32.0.9");
        assert_eq!(seen("::ffff:127.0.0.2"), "49.32.0.9");
        assert_eq!(seen("::1"), "117.200.1.10");
        assert_eq!(seen("192.168.4.4"), "192.168.4.4");
        assert_eq!(public_address(None, &settings).to_string(), "117.200.1.10");
    }
}
