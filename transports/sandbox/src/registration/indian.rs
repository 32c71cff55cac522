//! Addresses in India, as far as the emulator knows them: ranges, not a verdict. The portal's own list is not public.

use std::net::Ipv4Addr;

use super::addresses::Block;

/// Blocks delegated to India by the regional registries, those of 32,768 addresses and more, and two smaller ones of
/// well-known providers. Origin: the registries' delegation statistics as the repository `ipverse/rir-ip` gathers them,
/// `country/in/ipv4-aggregated.txt` of its commit 0068e5bf, read in November 2026 and compared with its state of February
/// 2026: 82 of 100 addresses delegated to India are here, and hardly any other. The thousands of smaller blocks, most of
/// them 1,024 addresses in 43, 45, 103 and 150, are left out.
pub(crate) const DELEGATED: &[&str] = &[
    "1.6.0.0/15",
    "1.22.0.0/15",
    "1.38.0.0/15",
    "14.96.0.0/14",
    "14.139.0.0/16",
    "14.140.0.0/14",
    "14.194.0.0/15",
    "27.4.0.0/14",
    "27.48.0.0/16",
    "27.56.0.0/13",
    "27.97.0.0/16",
    "27.107.0.0/16",
    "27.248.0.0/14",
    "27.255.128.0/17",
    "42.104.0.0/13",
    "47.8.0.0/15",
    "47.11.0.0/16",
    "47.15.0.0/16",
    "47.29.0.0/16",
    "47.30.0.0/15",
    "47.247.0.0/16",
    "49.14.0.0/15",
    "49.32.0.0/12",
    "49.136.0.0/14",
    "49.200.0.0/13",
    "49.248.0.0/15",
    "58.2.0.0/16",
    "58.68.0.0/17",
    "59.88.0.0/13",
    "59.96.0.0/14",
    "59.144.0.0/15",
    "59.160.0.0/14",
    "59.164.0.0/15",
    "59.176.0.0/13",
    "59.184.0.0/15",
    "60.243.0.0/16",
    "60.254.0.0/17",
    "61.0.0.0/14",
    "61.11.0.0/17",
    "61.12.0.0/17",
    "61.16.128.0/17",
    "61.17.0.0/16",
    "61.95.128.0/17",
    "61.246.0.0/16",
    "101.2.0.0/17",
    "101.208.0.0/12",
    "106.51.0.0/16",
    "106.66.0.0/15",
    "106.76.0.0/14",
    "106.192.0.0/11",
    "110.224.0.0/14",
    "111.92.0.0/17",
    "111.93.0.0/16",
    "112.79.0.0/16",
    "112.110.0.0/16",
    "112.133.192.0/18",
    "112.196.0.0/17",
    "113.193.0.0/16",
    "114.79.128.0/17",
    "114.143.0.0/16",
    "115.96.0.0/14",
    "115.108.0.0/14",
    "115.112.0.0/13",
    "115.184.0.0/15",
    "115.240.0.0/12",
    "116.72.0.0/14",
    "116.119.0.0/16",
    "117.96.0.0/14",
    "117.192.0.0/10",
    "118.94.0.0/15",
    "118.102.128.0/17",
    "118.185.0.0/16",
    "119.43.0.0/16",
    "119.151.0.0/17",
    "119.226.0.0/15",
    "120.56.0.0/13",
    "121.240.0.0/13",
    "122.15.0.0/16",
    "122.50.128.0/17",
    "122.98.0.0/16",
    "122.160.0.0/12",
    "122.176.0.0/13",
    "122.184.0.0/14",
    "123.63.0.0/16",
    "123.136.128.0/17",
    "123.201.0.0/16",
    "123.236.0.0/14",
    "123.252.128.0/17",
    "124.4.0.0/16",
    "124.7.0.0/16",
    "124.30.0.0/16",
    "124.123.0.0/16",
    "124.124.0.0/15",
    "124.253.0.0/16",
    "125.16.0.0/13",
    "125.99.0.0/16",
    "128.185.0.0/16",
    "130.26.0.0/16",
    "132.154.0.0/16",
    "136.185.0.0/16",
    "136.232.0.0/15",
    "137.97.0.0/16",
    "139.167.0.0/16",
    "144.16.0.0/16",
    "152.52.0.0/16",
    "152.56.0.0/14",
    "157.32.0.0/12",
    "157.48.0.0/14",
    "158.144.0.0/16",
    "162.56.0.0/16",
    "164.100.0.0/16",
    "164.164.0.0/16",
    "165.42.0.0/15",
    "169.149.0.0/16",
    "171.48.0.0/12",
    "171.76.0.0/14",
    "175.40.0.0/16",
    "175.101.0.0/16",
    "180.87.0.0/17",
    "180.151.0.0/16",
    "180.179.0.0/16",
    "182.19.0.0/17",
    "182.56.0.0/14",
    "182.60.0.0/16",
    "182.64.0.0/12",
    "182.94.0.0/15",
    "182.156.0.0/16",
    "183.82.0.0/15",
    "202.54.0.0/16",
    "202.138.96.0/19",
    "202.141.0.0/17",
    "202.144.0.0/17",
    "202.191.128.0/17",
    "203.101.0.0/17",
    "203.196.128.0/17",
    "203.197.0.0/16",
    "203.199.0.0/16",
    "203.200.0.0/16",
    "205.253.0.0/16",
    "210.18.0.0/17",
    "210.210.0.0/17",
    "210.211.128.0/17",
    "210.212.0.0/16",
    "210.214.0.0/16",
    "218.248.0.0/16",
    "219.64.0.0/15",
    "219.91.128.0/17",
    "220.224.0.0/14",
    "221.134.0.0/15",
    "223.30.0.0/15",
    "223.176.0.0/12",
    "223.196.0.0/16",
    "223.224.128.0/17",
    "223.225.0.0/16",
    "223.226.0.0/15",
    "223.228.0.0/14",
    "223.232.0.0/13",
];

/// Blocks of cloud regions in India. Registries delegate them to the providers' own countries.
pub(crate) const CLOUD: &[&str] = &[
    "3.6.0.0/15",
    "3.108.0.0/14",
    "13.126.0.0/15",
    "13.200.0.0/15",
    "13.232.0.0/14",
    "15.206.0.0/15",
    "16.112.0.0/15",
    "18.60.0.0/15",
    "34.93.0.0/16",
    "34.100.128.0/17",
    "34.131.0.0/16",
    "35.154.0.0/16",
    "35.200.128.0/17",
    "35.244.0.0/18",
    "43.204.0.0/15",
    "52.66.0.0/16",
    "52.172.0.0/16",
    "65.0.0.0/14",
    "104.211.64.0/18",
    "104.211.128.0/17",
];

/// Whether an address is known to lie in India.
pub(crate) fn is_known(address: Ipv4Addr) -> bool {
    DELEGATED.iter().chain(CLOUD).any(|block| Block::parse(block).is_some_and(|block| block.contains(address)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_whole_in_order_and_hold_as_many_addresses_as_their_source_says() {
        for blocks in [DELEGATED, CLOUD] {
            let parsed: Vec<(u32, u32)> = blocks.iter().map(|block| Block::parse(block).unwrap().ends()).collect();
            assert!(parsed.windows(2).all(|pair| pair[0].1 < pair[1].0), "one stands twice, or out of order");
        }
        let held = |blocks: &[&str]| -> u64 {
            let ends = blocks.iter().map(|block| Block::parse(block).unwrap().ends());
            ends.map(|(first, last)| u64::from(last - first) + 1).sum()
        };
        assert_eq!(held(DELEGATED), 34_234_368);
    }

    #[test]
    fn addresses_of_large_providers_and_cloud_regions_are_known_and_those_of_neighbours_are_not() {
        // BSNL, Jio, Airtel, Vodafone Idea, Tata, NIC, and the regions in Mumbai.
        for address in
            ["117.200.1.10", "49.32.0.9", "122.160.7.7", "1.38.1.1", "14.141.2.3", "164.100.1.1", "13.233.5.6"]
        {
            assert!(is_known(address.parse().unwrap()), "{address}");
        }
        // The ends of a block, and what lies beside it.
        for (address, known) in [("1.6.0.0", true), ("1.7.255.255", true), ("1.5.255.255", false), ("1.8.0.0", false)] {
            assert_eq!(is_known(address.parse().unwrap()), known, "{address}");
        }
        // Public resolvers abroad, a Chinese and a Pakistani block.
        for address in ["8.8.8.8", "1.1.1.1", "114.114.114.114", "39.32.0.1"] {
            assert!(!is_known(address.parse().unwrap()), "{address}");
        }
    }
}
