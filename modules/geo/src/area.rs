//! The area that is searched: a circle, a box, or a polygon.
//!
//! An area tells two things: between which longitudes and latitudes it lies, roughly and never too
//! little ([`Area::rectangles`]), and whether a place is in it, exactly ([`Area::measure`]).
//!
//! What *in it* means is what Redis and Valkey mean by it:
//!
//! ```text
//!   circle    at most so far from the centre
//!   box       at most half the height north or south of the centre, along a meridian; and at most
//!             half the width east or west of it, along the place's own parallel
//!   polygon   by the longitudes and latitudes of its vertices as on a flat map; its centre is that of
//!             the vertices as points in space
//! ```

use crate::cell::{self, LAT_MAX, LON_MAX, Rectangle};
use crate::sphere::{self, Place};

/// How much wider in degrees an area is taken than computed: more than any rounding, less than a cell.
const SLACK: f64 = 1e-6;
/// How much a haversine may be off by rounding, in proportion.
const HAVERSINE_SLACK: f64 = 1e-9;

/// What an area looks like.
#[derive(Clone, Debug)]
enum Shape {
    Circle {
        radius_m: f64,
        /// A lower haversine is inside, without a doubt.
        inside: f64,
        /// A higher one is outside, without a doubt.
        outside: f64,
    },
    Box {
        half_width_m: f64,
        half_height_m: f64,
    },
    Polygon {
        vertices: Vec<(f64, f64)>,
    },
}

/// An area with its centre, from which distances are measured.
#[derive(Clone, Debug)]
pub struct Area {
    centre: Place,
    shape: Shape,
}

impl Area {
    /// All that is at most so far from a place. The radius is not negative; it may be infinite.
    pub fn circle(lon: f64, lat: f64, radius_m: f64) -> Area {
        let edge = sphere::haversine_of(radius_m);
        let (inside, outside) = match edge < 1.0 {
            true => (edge * (1.0 - HAVERSINE_SLACK), edge * (1.0 + HAVERSINE_SLACK)),
            false => (f64::INFINITY, f64::INFINITY),
        };
        Area { centre: Place::new(lon, lat), shape: Shape::Circle { radius_m, inside, outside } }
    }

    /// A box around a place. Neither side is negative; they may be infinite.
    pub fn boxed(lon: f64, lat: f64, width_m: f64, height_m: f64) -> Area {
        let shape = Shape::Box { half_width_m: width_m / 2.0, half_height_m: height_m / 2.0 };
        Area { centre: Place::new(lon, lat), shape }
    }

    /// A polygon of vertices, each a longitude and a latitude, at least one.
    pub fn polygon(vertices: Vec<(f64, f64)>) -> Area {
        let (mut x, mut y, mut z) = (0.0, 0.0, 0.0);
        for (lon, lat) in &vertices {
            let (lon, lat) = (lon.to_radians(), lat.to_radians());
            x += lat.cos() * lon.cos();
            y += lat.cos() * lon.sin();
            z += lat.sin();
        }
        let (lon, lat) = (y.atan2(x), z.atan2(x.hypot(y)));
        Area { centre: Place::new(lon.to_degrees(), lat.to_degrees()), shape: Shape::Polygon { vertices } }
    }

    /// The number of the centre's cell.
    pub fn centre(&self) -> u64 {
        cell::encode(self.centre.lon, self.centre.lat)
    }

    /// The cells in which places of the area may be: one rectangle, or two where it lies across the
    /// 180th meridian, first the one that the centre is in.
    pub fn rectangles(&self) -> impl Iterator<Item = Rectangle> + use<> {
        let (lon, lat) = (self.centre.lon, self.centre.lat);
        let (lons, lats) = match &self.shape {
            Shape::Circle { radius_m, .. } => {
                let reach = sphere::degrees_of(*radius_m) + SLACK;
                ((lon, self.circle_reach(*radius_m)), (lat - reach, lat + reach))
            }
            Shape::Box { half_width_m, half_height_m } => {
                let reach = sphere::degrees_of(*half_height_m) + SLACK;
                let lats = (lat - reach, lat + reach);
                ((lon, box_reach(*half_width_m, lats)), lats)
            }
            Shape::Polygon { vertices } => {
                let least = |pick: fn(&(f64, f64)) -> f64| vertices.iter().map(pick).fold(f64::INFINITY, f64::min);
                let most = |pick: fn(&(f64, f64)) -> f64| vertices.iter().map(pick).fold(f64::NEG_INFINITY, f64::max);
                let (west, east) = (least(|at| at.0), most(|at| at.0));
                let middle = (west + east) / 2.0;
                ((middle, east - middle + SLACK), (least(|at| at.1) - SLACK, most(|at| at.1) + SLACK))
            }
        };
        let (middle, reach) = lons;
        let (west, east) = (middle - reach, middle + reach);
        let parts = if reach >= LON_MAX {
            [Some((-LON_MAX, LON_MAX)), None]
        } else if west < -LON_MAX {
            [Some((-LON_MAX, east)), Some((west + 2.0 * LON_MAX, LON_MAX))]
        } else if east >= LON_MAX {
            [Some((west, LON_MAX)), Some((-LON_MAX, east - 2.0 * LON_MAX))]
        } else {
            [Some((west, east)), None]
        };
        parts.into_iter().flatten().filter_map(move |lons| Rectangle::around(lons, lats))
    }

    /// How far a circle reaches to the east and west of its centre, in degrees.
    fn circle_reach(&self, radius_m: f64) -> f64 {
        let angle = radius_m / sphere::RADIUS_M;
        let to_pole = std::f64::consts::FRAC_PI_2 - self.centre.lat.to_radians().abs();
        if angle >= to_pole {
            return LON_MAX;
        }
        // From the right angle between a meridian that touches the circle and the radius there.
        let sine = angle.sin() / self.centre.lat.to_radians().cos();
        if sine >= 1.0 { LON_MAX } else { sine.asin().to_degrees() + SLACK }
    }

    /// The distance from the centre in metres if a place is in the area. Unless `is_wanted` the distance
    /// may be any number.
    #[inline]
    pub fn measure(&self, lon: f64, lat: f64, is_wanted: bool) -> Option<f64> {
        let centre = &self.centre;
        match &self.shape {
            Shape::Circle { radius_m, inside, outside } => {
                let haversine = centre.haversine(lon, lat);
                if haversine > *outside {
                    return None;
                }
                if haversine < *inside && !is_wanted {
                    return Some(0.0);
                }
                let distance = centre.distance_m(lon, lat);
                (distance <= *radius_m).then_some(distance)
            }
            Shape::Box { half_width_m, half_height_m } => {
                if sphere::meridian_m(centre.lat, lat) > *half_height_m {
                    return None;
                }
                let along = Place::new(centre.lon, lat).distance_m(lon, lat);
                (along <= *half_width_m).then(|| if is_wanted { centre.distance_m(lon, lat) } else { 0.0 })
            }
            Shape::Polygon { vertices } => {
                let is_in = is_in_polygon(vertices, lon, lat);
                is_in.then(|| if is_wanted { centre.distance_m(lon, lat) } else { 0.0 })
            }
        }
    }
}

/// How far a box reaches to the east and west, in degrees, at that of its latitudes where meridians are
/// nearest to each other.
fn box_reach(half_width_m: f64, lats: (f64, f64)) -> f64 {
    let lat = lats.0.abs().max(lats.1.abs()).min(LAT_MAX).to_radians();
    let sine = sphere::haversine_of(half_width_m).sqrt() / lat.cos();
    if sine >= 1.0 { LON_MAX } else { 2.0 * sine.asin().to_degrees() + SLACK }
}

/// Whether a ray from a place to the east crosses the polygon's edges an odd number of times.
fn is_in_polygon(vertices: &[(f64, f64)], lon: f64, lat: f64) -> bool {
    let mut is_in = false;
    let Some(mut from) = vertices.last().copied() else { return false };
    for &to in vertices {
        if (to.1 > lat) != (from.1 > lat) {
            let crossing = (from.0 - to.0) * (lat - to.1) / (from.1 - to.1) + to.0;
            is_in ^= lon < crossing;
        }
        from = to;
    }
    is_in
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn places() -> impl Strategy<Value = (f64, f64)> {
        let lon = prop_oneof![-180.0..=180.0, 179.9..=180.0, -180.0..=-179.9, -1.0..=1.0];
        let lat = prop_oneof![-LAT_MAX..=LAT_MAX, 84.9..=LAT_MAX, -LAT_MAX..=-84.9, -1.0..=1.0];
        (lon, lat)
    }

    fn areas() -> impl Strategy<Value = Area> {
        let size = || (-2.0..=7.8_f64).prop_map(|power| 10_f64.powf(power));
        prop_oneof![
            (places(), size()).prop_map(|(at, radius)| Area::circle(at.0, at.1, radius)),
            (places(), size(), size()).prop_map(|(at, width, height)| Area::boxed(at.0, at.1, width, height)),
            proptest::collection::vec(places(), 3..8).prop_map(Area::polygon),
        ]
    }

    #[test]
    fn the_edges_of_a_circle_are_in_it() {
        let area = Area::circle(0.0, 0.0, 0.0);
        assert_eq!(area.measure(0.0, 0.0, false), Some(0.0));
        assert_eq!(area.measure(0.0, 1e-9, false), None);
        let far = Area::circle(10.0, 20.0, f64::INFINITY);
        assert!(far.measure(-170.0, -20.0, true).is_some_and(|distance| distance > 2e7));
    }

    #[test]
    fn an_area_across_the_180th_meridian_is_two_rectangles() {
        assert_eq!(Area::circle(179.9, 0.0, 1e5).rectangles().count(), 2);
        assert_eq!(Area::circle(-179.9, 0.0, 1e5).rectangles().count(), 2);
        assert_eq!(Area::circle(170.0, 0.0, 1e5).rectangles().count(), 1);
        assert_eq!(Area::circle(0.0, 80.0, 3e6).rectangles().count(), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn what_is_in_an_area_is_in_its_rectangles(
            area in areas(), near in proptest::collection::vec((-1.0..=1.0, -1.0..=1.0), 40),
            far in proptest::collection::vec(places(), 10), scale in 0..9,
        ) {
            let (lon, lat) = (area.centre.lon, area.centre.lat);
            let scale = 10_f64.powi(2 - scale);
            let near = near.into_iter().map(|at: (f64, f64)| {
                let (lon, lat) = (lon + at.0 * scale, (lat + at.1 * scale).clamp(-LAT_MAX, LAT_MAX));
                (if lon > 180.0 { lon - 360.0 } else if lon < -180.0 { lon + 360.0 } else { lon }, lat)
            });
            for (lon, lat) in near.chain(far).filter(|at| cell::is_on_map(at.0, at.1)) {
                let number = cell::of_score(cell::encode(lon, lat) as f64);
                let (lon, lat) = cell::decode(number);
                if area.measure(lon, lat, false).is_some() {
                    prop_assert!(
                        area.rectangles().any(|rectangle| rectangle.sieve().holds(number)),
                        "{area:?} has no {lon} {lat}: {:?}", area.rectangles().collect::<Vec<_>>()
                    );
                }
            }
        }

        #[test]
        fn a_distance_is_asked_for_or_not_with_the_same_answer(area in areas(), at in places()) {
            prop_assert_eq!(area.measure(at.0, at.1, false).is_some(), area.measure(at.0, at.1, true).is_some());
        }
    }
}
