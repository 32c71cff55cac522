//! Until when a bill is good (NIC, e-way bill rules; since 1 January 2021).
//!
//! One day for each 200 km or part of them, for over-dimensional cargo for each 20 km. The clock starts with the
//! first Part B, and day one ends at 23:59 of the *following* day: Part B of 5 October 2022, 12:39, for 10 km is
//! good till 6 October 23:59. Without Part B there is no validity.

use jiff::civil::Date;
use jiff::{Span, ToSpan};

use super::VehicleType;
use crate::date::PortalTime;

/// Kilometres of one day, ordinary cargo.
pub const KM_PER_DAY: u16 = 200;

/// Kilometres of one day, over-dimensional cargo.
pub const KM_PER_DAY_OVER_DIMENSIONAL: u16 = 20;

/// Most days after the making of a bill to which it can be extended (since 1 January 2025, code 821).
pub const EXTENSION_DAYS_MAX: i32 = 360;

/// Days of validity for a distance; at least one.
#[must_use]
pub fn days(distance_km: u16, vehicle: VehicleType) -> u16 {
    let per_day = match vehicle {
        VehicleType::Regular => KM_PER_DAY,
        VehicleType::OverDimensional => KM_PER_DAY_OVER_DIMENSIONAL,
    };
    distance_km.div_ceil(per_day).max(1)
}

/// The end of validity of a bill whose first Part B was entered at a moment: a day, at 23:59.
///
/// Nothing when the calendar ends before.
#[must_use]
pub fn valid_till(part_b_at: PortalTime, distance_km: u16, vehicle: VehicleType) -> Option<PortalTime> {
    end_of(part_b_at.date().checked_add(i32::from(days(distance_km, vehicle)).days()).ok()?)
}

/// The end of validity after an extension, cut to [`EXTENSION_DAYS_MAX`] days after the bill was made.
#[must_use]
pub fn extended_till(
    made_at: PortalTime,
    valid_till: PortalTime,
    remaining_km: u16,
    vehicle: VehicleType,
) -> Option<PortalTime> {
    let asked = valid_till.date().checked_add(i32::from(days(remaining_km, vehicle)).days()).ok()?;
    let last = made_at.date().checked_add(Span::new().days(EXTENSION_DAYS_MAX)).ok()?;
    end_of(asked.min(last))
}

fn end_of(day: Date) -> Option<PortalTime> {
    PortalTime::parse(&format!("{} 23:59:00", day.strftime("%Y-%m-%d"))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> PortalTime {
        PortalTime::parse(text).unwrap()
    }

    #[test]
    fn the_examples_of_the_e_way_bill_rules_come_out() {
        let till = |at: &str, km| valid_till(time(at), km, VehicleType::Regular).unwrap().to_string();
        assert_eq!(till("2022-10-05 12:39:00", 10), "2022-10-06 23:59:00");
        assert_eq!(till("2024-05-01 19:04:00", 1_000), "2024-05-06 23:59:00");
        // Captured: 2467 km of 16 September 2022.
        assert_eq!(till("2022-09-16 19:29:00", 2_467), "2022-09-29 23:59:00");
    }

    #[test]
    fn a_part_of_a_day_counts_whole_and_over_dimensional_cargo_ten_times() {
        for (km, regular, over) in
            [(0, 1, 1), (1, 1, 1), (20, 1, 1), (21, 1, 2), (200, 1, 10), (201, 2, 11), (4_000, 20, 200)]
        {
            assert_eq!(
                (days(km, VehicleType::Regular), days(km, VehicleType::OverDimensional)),
                (regular, over),
                "{km}"
            );
        }
    }

    #[test]
    fn an_extension_ends_at_the_latest_360_days_after_the_bill_was_made() {
        // GSTN's example: made 28/12/2023, extended 17/12/2024, valid to 22/12/2024.
        let till = extended_till(time("2023-12-28 10:00:00"), time("2024-12-17 23:59:00"), 3_000, VehicleType::Regular);
        assert_eq!(till.unwrap().to_string(), "2024-12-22 23:59:00");
        let till = extended_till(time("2026-11-01 10:00:00"), time("2026-11-03 23:59:00"), 400, VehicleType::Regular);
        assert_eq!(till.unwrap().to_string(), "2026-11-05 23:59:00");
    }
}
