//! The cases, one file per subject. All names begin with `h2-`, such as `h2-ping/answered`.

mod continuation;
mod endpoint;
mod fields;
mod frames;
mod goaway;
mod hpack;
mod limits;
mod padding;
mod ping;
mod preface;
mod priority;
mod pseudo;
mod settings;
mod streams;
mod timing;
mod trailers;
mod windows;

use super::site::Site;
use crate::case::Case;

pub(super) use endpoint::cases as endpoint_cases;

/// All cases, by subject. Those of the endpoint come first.
pub(super) fn cases(site: &Site) -> Vec<Case> {
    [
        endpoint::cases(site),
        preface::cases(site),
        settings::cases(site),
        frames::cases(site),
        streams::cases(site),
        windows::cases(site),
        padding::cases(site),
        priority::cases(site),
        ping::cases(site),
        goaway::cases(site),
        continuation::cases(site),
        pseudo::cases(site),
        fields::cases(site),
        trailers::cases(site),
        hpack::cases(site),
        limits::cases(site),
        timing::cases(site),
    ]
    .concat()
}
