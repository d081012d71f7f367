//! Distances on the Earth, taken as a sphere: haversines (Sinnott, 1984).
//!
//! The radius is the one that Redis takes, so that distances are the same to the last digit shown.

/// The Earth's radius in metres.
pub const RADIUS_M: f64 = 6_372_797.560_856;

/// A place, with what is needed of it again and again.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Longitude in degrees.
    pub lon: f64,
    /// Latitude in degrees.
    pub lat: f64,
    lon_rad: f64,
    lat_rad: f64,
    cos_lat: f64,
}

impl Place {
    /// A place by its longitude and latitude in degrees.
    #[inline]
    pub fn new(lon: f64, lat: f64) -> Place {
        let lat_rad = lat.to_radians();
        Place { lon, lat, lon_rad: lon.to_radians(), lat_rad, cos_lat: lat_rad.cos() }
    }

    /// The haversine of the angle to another place: the square of half the chord through the sphere, from
    /// 0 to 1.
    #[inline]
    pub fn haversine(&self, lon: f64, lat: f64) -> f64 {
        let lat_rad = lat.to_radians();
        let v = ((lon.to_radians() - self.lon_rad) / 2.0).sin();
        let u = ((lat_rad - self.lat_rad) / 2.0).sin();
        u * u + self.cos_lat * lat_rad.cos() * v * v
    }

    /// The distance to another place in metres.
    pub fn distance_m(&self, lon: f64, lat: f64) -> f64 {
        if lon == self.lon { meridian_m(self.lat, lat) } else { distance_of_m(self.haversine(lon, lat)) }
    }
}

/// The distance in metres that a haversine means.
#[inline]
pub fn distance_of_m(haversine: f64) -> f64 {
    2.0 * RADIUS_M * haversine.sqrt().asin()
}

/// The haversine of a distance in metres; 1 for all from half the Earth's circumference on.
pub fn haversine_of(distance_m: f64) -> f64 {
    let half = distance_m / (2.0 * RADIUS_M);
    if half >= std::f64::consts::FRAC_PI_2 { 1.0 } else { half.sin().powi(2) }
}

/// The distance in metres between two latitudes, along a meridian.
#[inline]
pub fn meridian_m(one: f64, other: f64) -> f64 {
    RADIUS_M * (other.to_radians() - one.to_radians()).abs()
}

/// The angle in degrees that a distance in metres is.
pub fn degrees_of(distance_m: f64) -> f64 {
    (distance_m / RADIUS_M).to_degrees()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_redis_s() {
        let palermo = Place::new(13.361389338970184, 38.1155563954963);
        let catania = (15.087267458438873, 37.50266842333162);
        assert_eq!(format!("{:.4}", palermo.distance_m(catania.0, catania.1)), "166274.1516");
        assert_eq!(palermo.distance_m(palermo.lon, palermo.lat), 0.0);
    }

    #[test]
    fn a_haversine_and_its_distance_are_one() {
        for distance in [0.0, 1.0, 1e3, 1e6, 1e7] {
            assert!((distance_of_m(haversine_of(distance)) - distance).abs() <= distance * 1e-12);
        }
        assert_eq!(haversine_of(f64::INFINITY), 1.0);
        assert!(distance_of_m(1.0) < 20_021_000.0);
    }
}
