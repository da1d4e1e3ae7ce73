//! [`Chart`]: curves over epochs in SVG.

use std::fmt::Write;
use std::ops::RangeInclusive;

/// The size of a chart in pixels, and the room around its axes: left, right, top, bottom.
pub(super) const WIDTH: f64 = 640.0;
pub(super) const HEIGHT: f64 = 240.0;
const MARGINS: [f64; 4] = [72.0, 16.0, 32.0, 36.0];

/// Colours that people with colour blindness can tell apart (Okabe and Ito, 2008).
const COLOURS: [&str; 8] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"];

/// An SVG file of this height, whose content `write` appends.
pub(super) fn drawing(height: f64, write: impl FnOnce(&mut String)) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    write(&mut svg);
    svg.push_str("</svg>\n");
    svg
}

/// Curves over the number of the epoch.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    pub(super) curves: Vec<Curve<'a>>,
}

pub(super) struct Curve<'a> {
    pub(super) name: &'a str,
    /// Epochs and values. Those that are not finite are left out.
    pub(super) points: Vec<(f64, f64)>,
}

/// The place of values on an axis.
struct Axis {
    range: (f64, f64),
    pixels: (f64, f64),
}

impl Axis {
    /// The axis of some values, which may all be equal.
    fn new(values: impl Iterator<Item = f64>, pixels: (f64, f64)) -> Self {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        let room = if high > low { 0.0 } else { 0.5 * high.abs().max(1e-12) };
        Self { range: (low - room, high + room), pixels }
    }

    fn pixel(&self, value: f64) -> f64 {
        let ((low, high), (begin, end)) = (self.range, self.pixels);
        begin + (value - low) / (high - low) * (end - begin)
    }

    /// Multiples of 1, 2 or 5 times a power of 10, about five of them.
    fn ticks(&self) -> (f64, RangeInclusive<i64>) {
        let (low, high) = self.range;
        let rough = (high - low) / 5.0;
        let power = 10_f64.powf(rough.log10().floor());
        let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough);
        let step = factor.unwrap_or(10.0) * power;
        (step, (low / step).ceil() as i64..=(high / step).floor() as i64)
    }
}

impl Chart<'_> {
    /// Appends the chart with its upper edge at `top`.
    pub(super) fn write(&self, top: f64, svg: &mut String) {
        let points = || self.curves.iter().flat_map(|curve| finite(&curve.points));
        if points().next().is_none() {
            return;
        }
        let [left, right, above, below] = MARGINS;
        let x = Axis::new(points().map(|(epoch, _)| epoch), (left, WIDTH - right));
        let y = Axis::new(points().map(|(_, value)| value), (top + HEIGHT - below, top + above));
        text(
            svg,
            [left, top + 20.0],
            "start",
            &format!("<tspan font-weight=\"bold\">{}</tspan>", escaped(self.title)),
        );
        self.write_axes(&x, &y, svg);
        for (nth, curve) in self.curves.iter().enumerate() {
            let colour = COLOURS[nth % COLOURS.len()];
            write_curve(curve, [&x, &y], colour, svg);
            let legend = format!("<tspan fill=\"{colour}\">{}</tspan>", escaped(curve.name));
            let column = WIDTH - right - 130.0 * (self.curves.len() - 1 - nth) as f64;
            text(svg, [column, top + 20.0], "end", &legend);
        }
    }

    fn write_axes(&self, x: &Axis, y: &Axis, svg: &mut String) {
        let ((left, right), (bottom, top)) = (x.pixels, y.pixels);
        let (step, ticks) = y.ticks();
        for tick in ticks {
            let pixel = y.pixel(tick as f64 * step);
            line(svg, [left, pixel, right, pixel]);
            text(svg, [left - 6.0, pixel + 4.0], "end", &label(tick as f64 * step));
        }
        let (step, ticks) = x.ticks();
        // Epochs are whole numbers.
        for tick in ticks.filter(|tick| (*tick as f64 * step).fract() == 0.0) {
            let pixel = x.pixel(tick as f64 * step);
            line(svg, [pixel, bottom, pixel, top]);
            text(svg, [pixel, bottom + 16.0], "middle", &label(tick as f64 * step));
        }
        text(svg, [(left + right) / 2.0, bottom + 32.0], "middle", "epoch");
    }
}

fn finite(points: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> {
    points.iter().copied().filter(|(_, value)| value.is_finite())
}

/// A line through the points, and a dot at each: a single point has no line.
fn write_curve(curve: &Curve<'_>, [x, y]: [&Axis; 2], colour: &str, svg: &mut String) {
    let place = |(epoch, value)| (x.pixel(epoch), y.pixel(value));
    let places: Vec<(f64, f64)> = finite(&curve.points).map(place).collect();
    let list: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(
        svg,
        "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{}\"/>",
        list.join(" ")
    );
    for (x, y) in places {
        let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\" fill=\"{colour}\"/>");
    }
}

fn line(svg: &mut String, [x1, y1, x2, y2]: [f64; 4]) {
    let _ = writeln!(
        svg,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#dddddd\"/>"
    );
}

/// Appends text, which is already escaped.
pub(super) fn text(svg: &mut String, [x, y]: [f64; 2], anchor: &str, escaped: &str) {
    let _ =
        writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{escaped}</text>");
}

/// A number in few characters.
fn label(value: f64) -> String {
    if value != 0.0 && !(1e-3..1e5).contains(&value.abs()) {
        return format!("{value:.1e}");
    }
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside_of_the_axis() {
        for (low, high, expected) in
            [(0.0, 1.0, (0.2, 0..=5)), (0.13, 2.4, (0.5, 1..=4)), (1.0, 20.0, (5.0, 1..=4))]
        {
            let axis = Axis { range: (low, high), pixels: (0.0, 1.0) };
            let (step, ticks) = axis.ticks();
            assert!((step - expected.0).abs() < 1e-12 && ticks == expected.1, "{low} {step}");
        }
    }

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 0.25, 12.0, 1e-5, -0.5, 250_000.0].map(label);
        assert_eq!(shown, ["0", "0.25", "12", "1.0e-5", "-0.5", "2.5e5"]);
    }

    #[test]
    fn equal_values_and_values_that_are_not_finite_are_drawn() {
        let curve = |points| Chart { title: "a < b", curves: vec![Curve { name: "&", points }] };
        let mut svg = String::new();
        curve(vec![(1.0, 0.5), (2.0, f64::NAN), (3.0, 0.5)]).write(0.0, &mut svg);
        assert!(svg.contains("a &lt; b") && svg.contains(">&amp;<"), "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 2);
        let mut svg = String::new();
        curve(vec![(1.0, f64::INFINITY)]).write(0.0, &mut svg);
        assert_eq!(svg, "");
    }
}
