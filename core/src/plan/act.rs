//! What can be done to a bill, and what its state says to it.

use super::PlanRefused;
use super::bill::is_open;
use crate::ewb::Standing;
use crate::state::EwbState;

/// One kind of step on a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Cancel,
    Reject,
    PartB,
    Transporter,
    Extend,
    Consolidate,
    StartGroup,
    AddVehicle,
    ChangeVehicle,
}

impl Act {
    /// As in `cannot be cancelled`.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Cancel => "cancelled",
            Self::Reject => "rejected",
            Self::PartB => "given a new Part B",
            Self::Transporter => "given to another transporter",
            Self::Extend => "extended",
            Self::Consolidate => "consolidated",
            Self::StartGroup | Self::AddVehicle | Self::ChangeVehicle => "moved by several vehicles",
        }
    }

    /// Whether a bill in this state can take the step, as far as its state says: after its end it can be extended for
    /// eight hours more, and what the other party rejected its maker takes back.
    const fn is_possible(self, state: EwbState) -> bool {
        is_open(state)
            || matches!((self, state), (Self::Extend, EwbState::Expired) | (Self::Cancel, EwbState::RejectedByParty))
    }

    /// The portal's code for the step on a bill in this state; each step has its own for a bill that is closed.
    const fn code(self, state: EwbState) -> &'static str {
        match state {
            EwbState::Closed => match self {
                Self::Cancel => "843",
                Self::Extend => "844",
                Self::Consolidate => "845",
                Self::AddVehicle => "846",
                Self::StartGroup => "847",
                Self::ChangeVehicle => "848",
                Self::Reject => "849",
                Self::Transporter => "850",
                Self::PartB => "851",
            },
            EwbState::Cancelled => match self {
                Self::Cancel | Self::PartB => "312",
                Self::Reject => "343",
                Self::Extend => "379",
                Self::StartGroup => "817",
                _ => "280",
            },
            EwbState::RejectedByParty => match self {
                Self::Extend => "380",
                Self::StartGroup => "817",
                _ => "280",
            },
            EwbState::Expired => self.late_code(),
            _ => "",
        }
    }

    /// The portal's code for the step once its time is over.
    pub(super) const fn late_code(self) -> &'static str {
        match self {
            Self::Cancel => "315",
            Self::Reject => "345",
            Self::PartB | Self::AddVehicle | Self::ChangeVehicle => "311",
            Self::Transporter => "281",
            Self::Extend => "382",
            Self::Consolidate => "818",
            Self::StartGroup => "817",
        }
    }

    /// Refuses the step on a bill whose state stands against it.
    pub(super) fn check(self, standing: &Standing) -> Result<(), PlanRefused> {
        let state = standing.state;
        if self.is_possible(state) {
            return Ok(());
        }
        // A state is named as it is stored; people read it without its underscores.
        let named = state.to_string().replace('_', " ");
        Err(PlanRefused::new(
            format!("e-way bill {} is {named} and cannot be {}", standing.number, self.words()),
            self.code(state),
            "Make a new bill if the goods still have to move.",
        ))
    }
}
