//! Which operation of the registration portal a request asks for.

use crate::faults::PortalOperation;
use crate::wire::PortalRequest;

/// Which operation a request asks for, and the part of the path that names its object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route<'a> {
    pub(crate) operation: PortalOperation,
    pub(crate) object: &'a str,
}

/// Reads method and path. The portal's own pages are matched as documented, capitals included.
pub(crate) fn route(request: &PortalRequest) -> Option<Route<'_>> {
    const CORE: &str = "/eicore/v1.03/Invoice";
    let path = request.path();
    let found = |operation, object| Some(Route { operation, object });
    match (request.method.as_str(), path) {
        ("POST", "/eivital/v1.04/auth") => return found(PortalOperation::Auth, ""),
        ("GET", "/eivital/v1.04/heartbeat/ping") => return found(PortalOperation::Heartbeat, ""),
        ("POST", "/eiewb/v1.03/ewaybill") => return found(PortalOperation::GenerateEwbByIrn, ""),
        ("POST", "/ewaybillapi/v1.03/ewayapi") => return found(PortalOperation::CancelEwbAtIrp, ""),
        ("POST", _) => {
            return match path.strip_prefix(CORE)? {
                "" => found(PortalOperation::GenerateIrn, ""),
                "/Cancel" => found(PortalOperation::CancelIrn, ""),
                _ => None,
            };
        }
        _ => {}
    }
    if request.method != "GET" {
        return None;
    }
    if let Some(rest) = path.strip_prefix(CORE) {
        return match rest {
            "/irnbydocdetails" => found(PortalOperation::GetIrnByDocument, ""),
            "/rejectedirns" => found(PortalOperation::RejectedIrns, ""),
            _ => found(PortalOperation::GetIrn, rest.strip_prefix("/irn/")?),
        };
    }
    let prefixed = [
        ("/eiewb/v1.03/ewaybill/irn/", PortalOperation::GetEwb),
        ("/eivital/v1.04/Master/gstin/", PortalOperation::GstinDetails),
        ("/eivital/v1.04/Master/syncgstin/", PortalOperation::SyncGstin),
    ];
    prefixed.into_iter().find_map(|(prefix, operation)| found(operation, path.strip_prefix(prefix)?))
}
