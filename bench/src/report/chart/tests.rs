//! Reads pictures back and checks where elements are, for few and many servers, in both widths.

use svg::node::Attributes;
use svg::node::element::tag::Type;
use svg::parser::Event;

use super::*;
use crate::analysis::summary::grouped;

const WIDTHS: [Width; 2] = [Width::Wide, Width::Narrow];

const HOSTILE: &str = "<script>alert(1)</script>&\"'";

/// Usual names, a long one, one with markup, and one in another script.
const NAMES: [&str; 8] = [
    "hyper",
    "actix",
    "may-minihttp",
    "a-server-with-a-very-long-name",
    HOSTILE,
    "サーバー",
    "go-nethttp",
    "python-http-server",
];

/// An element with its attributes and those that it inherits.
struct Element {
    name: String,
    attributes: Attributes,
    text: String,
}

/// The place of a line of text.
#[derive(Debug)]
struct TextBox {
    text: String,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Element {
    fn number(&self, attribute: &str) -> f64 {
        self.attributes[attribute].parse().unwrap()
    }

    fn has(&self, attribute: &str, value: &str) -> bool {
        self.attributes.get(attribute).is_some_and(|known| **known == *value)
    }
}

fn elements(svg: &str) -> Vec<Element> {
    let mut open: Vec<Attributes> = Vec::new();
    let mut elements: Vec<Element> = Vec::new();
    for event in svg::read(svg).unwrap() {
        match event {
            Event::Tag(name, kind, own) if kind != Type::End => {
                let mut attributes = open.last().cloned().unwrap_or_default();
                attributes.extend(own);
                if kind == Type::Start {
                    open.push(attributes.clone());
                }
                elements.push(Element { name: name.into(), attributes, text: String::new() });
            }
            Event::Tag(..) => drop(open.pop()),
            Event::Text(text) => {
                let text = text.trim().replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
                elements.last_mut().unwrap().text += &text;
            }
            Event::Error(error) => panic!("{error} in {svg}"),
            _ => {}
        }
    }
    assert!(open.is_empty(), "an element is left open in {svg}");
    elements
}

/// Lines of text, each with the note behind it.
fn text_boxes(svg: &str) -> Vec<TextBox> {
    let mut boxes: Vec<TextBox> = Vec::new();
    for element in elements(svg).iter().filter(|element| ["text", "tspan"].contains(&element.name.as_str())) {
        let size = element.number("font-size");
        let width = 0.56 * size * f64::from(u32::try_from(element.text.chars().count()).unwrap());
        if element.name == "tspan" {
            let text_box = boxes.last_mut().unwrap();
            text_box.right += element.number("dx") + width;
            text_box.text += &format!(" {}", element.text);
            continue;
        }
        let (x, y) = (element.number("x"), element.number("y"));
        let left = match element.attributes.get("text-anchor").map(|anchor| &**anchor) {
            Some("end") => x - width,
            Some("middle") => x - width / 2.0,
            _ => x,
        };
        let (top, bottom) = (y - 0.8 * size, y + 0.2 * size);
        boxes.push(TextBox { text: element.text.clone(), left, right: left + width, top, bottom });
    }
    boxes
}

fn texts(chart: &Chart, width: Width) -> Vec<String> {
    text_boxes(&svg(chart, width)).into_iter().map(|text_box| text_box.text).collect()
}

fn chart(id: &str, plot: Plot) -> Chart {
    Chart { id: id.into(), title: "CPU time".into(), description: "hyper needs least.".into(), plot }
}

fn name(place: u32) -> String {
    let name = NAMES[place as usize % NAMES.len()];
    if place < 8 { name.into() } else { format!("{place}-{name}").chars().take(30).collect() }
}

fn attribution(place: u32) -> Attribution {
    use Attribution::{Invalid, Reference, Server, Tool};
    [Server, Server, Tool, Invalid, Reference][place as usize % 5]
}

fn figure(value: f64) -> Figure {
    Figure { value, interval: Some([value * 0.97, value * 1.04]) }
}

fn axis(label: &str, quantity: Quantity, scale: Scale) -> Axis {
    Axis { label: label.into(), quantity, scale }
}

/// A chart with a line per server. `points` returns the points for a server's place.
fn line_chart(id: &str, [x, y]: [Axis; 2], servers: u32, points: impl Fn(u32) -> Vec<Point>) -> Chart {
    let line = |place| {
        let points = points(place);
        Line { label: name(place), has_marks: points.len() < 20, points }
    };
    chart(id, Plot::Lines(Lines { x, y, lines: (0..servers).map(line).collect() }))
}

/// Bars: the fourth has no figure. Of more than six, the last is 20 times as long as the first.
fn bars(servers: u32) -> Chart {
    let bar = |place: u32| {
        let is_far = servers > 6 && place + 1 == servers;
        let length = if is_far { 163e-6 } else { 8.12e-6 + 0.4e-6 * f64::from(place) };
        let note = ["", "", "client-bound", "no runs yet", "as published"][place as usize % 5];
        Bar::new(&name(place), (place != 3).then(|| figure(length)), attribution(place), note.into())
    };
    let bars = Bars::new("CPU time per request", Quantity::Time, (0..servers).map(bar));
    chart("cpu", Plot::Bars(Bars { noise: Some(0.017), ..bars }))
}

/// Bars in pieces: every third has pieces that exceed the whole, every fourth has unknown ones.
fn stack(servers: u32) -> Chart {
    let bar = |place: u32| {
        let whole = if place == 5 { 163e-6 } else { 8.12e-6 + 0.2e-6 * f64::from(place) };
        let framework = if place % 3 == 2 { 5.2e-6 } else { 1.2e-6 };
        let known = [Some(5e-6), (place % 4 != 1).then_some(0.8e-6), Some(framework)];
        let rest = whole - known.iter().flatten().sum::<f64>();
        let pieces = known.into_iter().chain([None, Some(rest)]).collect();
        let note = ["18 % unexplained", ""][place as usize % 2];
        Bar { pieces, ..Bar::new(&name(place), Some(figure(whole)), Attribution::Server, note.into()) }
    };
    let names = ["kernel floor", "switches", "framework", "runtime and code, not separated", "unexplained"];
    let parts = names.map(|label| Part { label: label.into(), is_rest: label == "unexplained" }).to_vec();
    let bars = Bars::new("CPU/request", Quantity::Time, (0..servers).map(bar));
    chart("ledger", Plot::Bars(Bars { parts, ..bars }))
}

/// Tail latency by connections. The attribution of the last points differs.
fn lines(servers: u32) -> Chart {
    let axes =
        [axis("connections", Quantity::Count, Scale::Log), axis("p99 latency", Quantity::Time, Scale::Log)];
    line_chart("latency", axes, servers, |place| {
        let latency =
            |x: f64| 80e-6 * (1.0 + 0.08 * f64::from(place)) * x.powf(0.6 + 0.01 * f64::from(place % 7));
        let point = |x| Point { x, y: figure(latency(x)), attribution: Attribution::Server };
        let mut points = [1.0, 8.0, 64.0, 256.0, 1024.0, 8192.0].map(point);
        points[5].attribution = attribution(place);
        points.to_vec()
    })
}

/// Latency by percentile, with many points, on a linear axis.
fn percentiles(servers: u32) -> Chart {
    let axes = [
        axis("of all answers are faster", Quantity::Share, Scale::Percentile),
        axis("latency", Quantity::Time, Scale::Linear),
    ];
    line_chart("percentiles", axes, servers, |place| {
        let point = |step: u32| {
            let spread = f64::from(step) / 50.0 * 4.2;
            let base = 60e-6 * (1.0 + 0.15 * f64::from(place));
            let value = base * (1.0 + spread.powi(3) * (1.0 + f64::from(place % 4)));
            let y = Figure { value, interval: None };
            Point { x: 1.0 - 10_f64.powf(-spread), y, attribution: Attribution::Server }
        };
        (0..50).map(point).collect()
    })
}

fn dots(servers: u32) -> Chart {
    let row = |place: u32| {
        let value = |run: u32| 8.1e-6 + 0.1e-6 * f64::from(place) + 0.07e-6 * f64::from(run * 5 % 7);
        let dot = |run: u32| {
            let attribution = if run == 6 { attribution(place) } else { Attribution::Server };
            Dot { value: value(run), attribution }
        };
        DotRow { label: name(place), dots: (0..7).map(dot).collect(), median: Some(value(3)) }
    };
    let (label, rows) = ("CPU time per request".into(), (0..servers).map(row).collect());
    chart("runs", Plot::Dots(Dots { label, quantity: Quantity::Time, rows }))
}

/// A chart of the server's host and `loads` load hosts.
fn hosts(loads: u32) -> Chart {
    let host = |place: u32, side: &str| HostBox {
        label: name(place),
        side: format!("{side} on cores 0-19,40-59"),
        link: "enp129s0f0np0, 25,000 Mbit/s".into(),
    };
    let loads = (0..loads).map(|place| host(place, "load")).collect();
    chart("hosts", Plot::Hosts(Hosts { server: host(4, "server"), loads }))
}

/// Charts of all kinds, with their names.
fn kinds(servers: u32) -> impl Iterator<Item = (String, Chart)> {
    let all = [
        ("bars", bars(servers)),
        ("stack", stack(servers)),
        ("lines", lines(servers)),
        ("percentiles", percentiles(servers)),
        ("dots", dots(servers)),
        ("hosts", hosts(servers)),
    ];
    all.into_iter().map(move |(kind, chart)| (format!("{kind}-{servers}"), chart))
}

/// Charts of all kinds, of one server and of many.
fn samples() -> impl Iterator<Item = (String, Chart)> {
    [1, 6, 8, 16, 30].into_iter().flat_map(kinds)
}

#[test]
fn no_text_is_cut_off_or_lies_on_other_text() {
    for ((name, chart), width) in samples().flat_map(|sample| WIDTHS.map(|width| (sample.clone(), width))) {
        let svg = svg(&chart, width);
        let view_box = elements(&svg)[0].attributes["viewBox"].to_string();
        let bottom = view_box.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
        let right = width.pixels();
        let boxes = text_boxes(&svg);
        for (place, one) in boxes.iter().enumerate() {
            assert!(
                one.left >= -1.0 && one.right <= right + 1.0 && one.top >= 0.0 && one.bottom <= bottom,
                "{name} {width:?}: {one:?} leaves {right}×{bottom}"
            );
            for other in &boxes[..place] {
                let is_beside = one.right <= other.left || other.right <= one.left;
                let is_above = one.bottom <= other.top || other.bottom <= one.top;
                assert!(is_beside || is_above, "{name} {width:?}: {one:?} lies on {other:?}");
            }
        }
    }
}

#[test]
fn bars_begin_at_0_and_are_as_long_as_their_figures() {
    for (servers, width) in [6, 16].into_iter().flat_map(|servers| WIDTHS.map(|width| (servers, width))) {
        let chart = bars(servers);
        let Plot::Bars(Bars { bars, .. }) = &chart.plot else { panic!() };
        let svg = svg(&chart, width);
        let elements = elements(&svg);
        let drawn = elements.iter().filter(|element| element.name == "rect").skip(1).collect::<Vec<_>>();
        let figures = bars.iter().filter_map(|bar| Some(bar.figure?.value)).collect::<Vec<_>>();
        assert_eq!(figures.len(), drawn.len());
        let mut paths = elements.iter().filter_map(|element| element.attributes.get("d"));
        let base = paths.find(|path| path.contains('L')).unwrap();
        let pixels = drawn[0].number("width") / figures[0];
        let longest = drawn.iter().map(|bar| bar.number("width")).fold(0.0, f64::max);
        // A bar that is twenty times as long as the others is cut, and the axis says so.
        let is_far = |figure: f64| figure > 100e-6;
        for (bar, figure) in drawn.iter().zip(&figures) {
            assert!(base.starts_with(&format!("M{} ", bar.number("x"))), "{width:?}: {base}");
            let (shown, whole) = (bar.number("width"), figure * pixels);
            let is_cut = shown >= longest && shown < whole;
            assert!(if is_far(*figure) { is_cut } else { (shown - whole).abs() < 0.3 }, "{figure}");
        }
        assert_eq!(svg.contains("cut bars are longer"), figures.iter().any(|figure| is_far(*figure)));
    }
}

/// An invalid figure says nothing about the server, and does not make the bars of the others short.
#[test]
fn the_axis_need_not_include_invalid_figures() {
    let first_bar = |attribution| {
        let mut chart = bars(6);
        let Plot::Bars(Bars { bars, .. }) = &mut chart.plot else { panic!() };
        (bars[5].figure, bars[5].attribution) = (Some(figure(20e-6)), attribution);
        let elements = elements(&svg(&chart, Width::Wide));
        elements.iter().filter(|element| element.name == "rect").nth(1).unwrap().number("width")
    };
    assert!(first_bar(Attribution::Invalid) > 1.5 * first_bar(Attribution::Server));
}

#[test]
fn pieces_are_adjacent_and_end_at_the_stroke_if_they_add_up() {
    for width in WIDTHS {
        let chart = stack(4);
        let Plot::Bars(Bars { bars, .. }) = &chart.plot else { panic!() };
        let elements = elements(&svg(&chart, width));
        let strokes = elements.iter().find(|element| element.has("stroke-width", "2.5")).unwrap();
        let strokes = strokes.attributes["d"].split('M').skip(1);
        let strokes = strokes.map(|commands| commands.split(' ').next().unwrap().parse::<f64>().unwrap());
        let strokes = strokes.collect::<Vec<_>>();
        assert_eq!(strokes.len(), bars.len());
        // The ends of each piece, by bar; samples of the key come last.
        let ends = |piece: &Element| [0.0, piece.number("width")].map(|end| piece.number("x") + end);
        let pieces = elements.iter().filter(|element| element.name == "rect");
        let rows = grouped(pieces.map(|piece| (&*piece.attributes["y"], ends(piece))));
        let base = rows[0].1[0][0];
        let whole = |bar: &Bar| bar.figure.unwrap().value;
        let pixels = (strokes[0] - base) / whole(&bars[0]);
        for ((stroke, (_, pieces)), bar) in strokes.iter().zip(&rows).zip(bars) {
            let lengths = bar.pieces.iter().flatten().filter(|length| **length > 0.0);
            let mut end = base;
            for (piece, length) in pieces.iter().zip(lengths.clone()) {
                assert!((piece[0] - end).abs() < 0.3, "{width:?} {}: {pieces:?}", bar.label);
                end += length * pixels;
                assert!((piece[1] - end).abs() < 0.3, "{width:?} {}: {pieces:?}", bar.label);
            }
            assert_eq!(pieces.len(), lengths.count());
            let whole = base + whole(bar) * pixels;
            assert!((stroke - whole).abs() < 0.3, "{width:?} {}", bar.label);
            // Pieces that add up to too much are drawn, and not hidden.
            let is_too_much = bar.pieces.iter().flatten().any(|length| *length < 0.0);
            assert_eq!(end > whole + 0.3, is_too_much, "{width:?} {}", bar.label);
        }
    }
}

#[test]
fn parts_are_distinguished_by_pattern_and_lines_by_dashes() {
    let looks = |chart: &Chart, width, of_drawn: fn(&Element) -> Option<String>| {
        let elements = elements(&svg(chart, width));
        elements.iter().filter_map(of_drawn).collect::<std::collections::BTreeSet<_>>().len()
    };
    let dashes = |element: &Element| Some(element.attributes.get("stroke-dasharray")?.to_string());
    for width in WIDTHS {
        let parts = looks(&stack(1), width, |element| {
            let dashes = element.attributes.get("stroke-dasharray");
            (element.name == "rect").then(|| format!("{} {dashes:?}", element.attributes["fill"]))
        });
        assert_eq!((parts, looks(&percentiles(8), width, dashes)), (5, 8));
    }
}

/// The texts that a chart shows in both widths.
#[test]
fn figures_ticks_and_names_are_shown() {
    let cases: [(Chart, &[&str]); 5] = [
        (bars(8), &["noise ±1.7 %", "CPU time per request (cut bars are longer), µs"]),
        (stack(1), &["kernel floor", "switches", "framework", "unexplained", "measured"]),
        (lines(6), &["1", "8", "64", "256", "1,024", "8,192", "0.1", "10", "connections", "p99 latency, ms"]),
        (percentiles(6), &["0", "50", "90", "99", "99.9", "99.99", "20", "25", "latency, ms"]),
        (dots(6), &["8.2", "8.4", "9", "axis does not begin at 0", "CPU time per request, µs"]),
    ];
    for (chart, expected) in &cases {
        for width in WIDTHS {
            let texts = texts(chart, width);
            for text in *expected {
                assert!(texts.iter().any(|known| known == text), "{text} is not in {texts:?}");
            }
        }
    }
    for width in WIDTHS {
        let texts = texts(&bars(8), width);
        for (value, note) in
            [("8.12 µs", ""), ("8.92 µs", "client-bound"), ("–", "no runs yet"), ("163 µs", "client-bound")]
        {
            let expected = if width == Width::Wide { format!("{value} {note}") } else { value.to_owned() };
            assert!(texts.iter().any(|text| text == expected.trim()), "{expected} is not in {texts:?}");
            assert!(note.is_empty() || texts.iter().any(|text| text.contains(note)));
        }
    }
}

#[test]
fn figures_are_behind_whiskers() {
    for width in WIDTHS {
        let svg = svg(&bars(6), width);
        let whiskers = elements(&svg).into_iter().rfind(|element| element.name == "path").unwrap();
        let ends = whiskers.attributes["d"].split('H').skip(1);
        let ends = ends.map(|rest| rest.split('M').next().unwrap().parse::<f64>().unwrap());
        let boxes = text_boxes(&svg).into_iter();
        let values = boxes.filter(|text| text.text.contains("µs") && !text.text.starts_with("CPU"));
        for (end, value) in ends.zip(values) {
            assert!(value.left > end, "{value:?} begins before {end}");
        }
    }
}

#[test]
fn attributions_are_shown_by_shape_and_explained() {
    let wide = svg(&bars(6), Width::Wide);
    for shape in ["fill=\"url(#cpu-wide-hatching)\"", "stroke-dasharray=\"1.5 2.5\""] {
        assert_eq!(1, wide.matches(shape).count(), "{shape}");
    }
    for meaning in ["client-bound or network-bound", "invalid or disturbed", "not measured here"] {
        for (chart, is_shown) in [(lines(6), true), (dots(6), true), (dots(2), false)] {
            let texts = texts(&chart, Width::Narrow);
            assert_eq!(texts.iter().any(|text| text == meaning), is_shown, "{meaning} {texts:?}");
        }
    }
}

#[test]
fn names_are_escaped() {
    for (_, chart) in samples() {
        let hostile = Chart { title: HOSTILE.into(), description: HOSTILE.into(), ..chart };
        for svg in WIDTHS.map(|width| standalone(&hostile, width)) {
            assert!(!svg.contains("<script"), "{svg}");
        }
    }
}

#[test]
fn charts_are_described_and_have_a_size() {
    for (width, name, pixels) in [(Width::Wide, "wide", "880"), (Width::Narrow, "narrow", "350")] {
        let elements = elements(&svg(&bars(6), width));
        let attribute = |name: &str| elements[0].attributes[name].to_string();
        let (title, description) = (format!("cpu-{name}-title"), format!("cpu-{name}-description"));
        assert_eq!("img", attribute("role"));
        assert_eq!(format!("{title} {description}"), attribute("aria-labelledby"));
        assert_eq!("http://www.w3.org/2000/svg", attribute("xmlns"));
        let described = elements.iter().filter(|element| ["title", "desc"].contains(&element.name.as_str()));
        let described =
            described.map(|element| (element.attributes["id"].to_string(), element.text.as_str()));
        let expected = vec![(title, "CPU time"), (description, "hyper needs least.")];
        assert_eq!(expected, described.collect::<Vec<_>>());

        assert!(attribute("viewBox").starts_with(&format!("0 0 {pixels} ")));
        assert_eq!(attribute("width"), pixels.to_string());
    }
}

#[test]
fn all_colours_have_a_dark_one() {
    let known = |value: &str| {
        value == "none" || value.starts_with("url(#") || PALETTE.iter().any(|colour| colour.light == value)
    };
    for (name, chart) in samples() {
        for element in WIDTHS.into_iter().flat_map(|width| elements(&standalone(&chart, width))) {
            for colour in ["fill", "stroke"].into_iter().filter_map(|kind| element.attributes.get(kind)) {
                assert!(known(colour), "{colour} of {} in {name}", element.name);
            }
        }
    }
    assert!(standalone(&bars(1), Width::Wide).contains(&dark_rules()));
    assert!(!svg(&bars(1), Width::Wide).contains("<style"));
}

/// Plots of all kinds of these figures, and some without any figure.
fn plots(figures: &[Figure]) -> Vec<Plot> {
    let label = || "time".to_owned();
    let own = Attribution::Server;
    let values = || figures.iter().map(|figure| figure.value);
    let pieces: Vec<Option<f64>> = values().map(Some).chain([None]).collect();
    let parts = vec![Part { label: label(), is_rest: false }; pieces.len()];
    let bar = |figure| Bar { pieces: pieces.clone(), ..Bar::new("time", figure, own, String::new()) };
    let mut plots = Vec::new();
    for quantity in [Quantity::Time, Quantity::Memory] {
        let bars = Bars::new("time", quantity, figures.iter().copied().map(Some).chain([None]).map(bar));
        plots.push(Plot::Bars(Bars { parts: parts.clone(), ..bars.clone() }));
        plots.push(Plot::Bars(Bars { noise: Some(f64::NAN), ..bars }));
        plots.push(Plot::Bars(Bars { noise: Some(0.01), ..Bars::new("time", quantity, []) }));
    }
    for scale in [Scale::Linear, Scale::Log, Scale::Percentile] {
        let axis = || axis("time", Quantity::Count, scale);
        // A point for each figure at each place.
        let at = |x: f64| figures.iter().map(move |y| Point { x, y: *y, attribution: own });
        let line = Line { label: label(), points: values().flat_map(at).collect(), has_marks: true };
        for lines in [vec![line], Vec::new()] {
            plots.push(Plot::Lines(Lines { x: axis(), y: axis(), lines }));
        }
    }
    let dots: Vec<Dot> = values().map(|value| Dot { value, attribution: own }).collect();
    let row = |median| DotRow { label: label(), dots: dots.clone(), median };
    let rows = values().map(Some).chain([None]).map(|median| vec![row(median)]).chain([Vec::new()]);
    let plot = |rows| Plot::Dots(Dots { label: label(), quantity: Quantity::Time, rows });
    plots.extend(rows.map(plot));
    plots
}

#[test]
fn only_finite_numbers_are_drawn() {
    let wild = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0, 1e-290, 1e290, 7.0];
    let figures =
        wild.into_iter().flat_map(|value| wild.map(|end| Figure { value, interval: Some([-end, end]) }));
    for plot in plots(&figures.collect::<Vec<_>>()) {
        for svg in WIDTHS.map(|width| svg(&chart("wild", plot.clone()), width)) {
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            elements(&svg);
        }
    }
}

#[test]
fn a_chart_without_figures_says_so() {
    for (plot, width) in plots(&[]).into_iter().flat_map(|plot| WIDTHS.map(|width| (plot.clone(), width))) {
        assert_eq!(["no figures"], *texts(&chart("empty", plot), width));
    }
}

#[test]
fn each_host_has_its_box_and_a_line_of_text() {
    for (loads, width) in [1, 3, 8, 16].into_iter().flat_map(|loads| WIDTHS.map(|width| (loads, width))) {
        let chart = hosts(loads);
        let svg = svg(&chart, width);
        let elements = elements(&svg);
        let boxes = elements.iter().filter(|element| element.name == "rect").count();
        let lines = elements.iter().find(|element| element.name == "path").unwrap();
        let drawn = loads.min(8) as usize;
        assert_eq!(
            (boxes, lines.attributes["d"].matches('M').count()),
            (drawn + 1, drawn),
            "{loads} {width:?}"
        );
        let more = texts(&chart, width).iter().any(|text| text == "and 8 more hosts: see the table");
        assert_eq!(more, loads == 16, "{loads} {width:?}");
        let tree: Vec<&str> = chart.tree().unwrap().iter().map(|([before, _], _)| *before).collect();
        let (first, last) = (tree[0], tree[tree.len() - 1]);
        assert_eq!((tree.len(), first, last), (loads as usize + 1, "", "└── "));
    }
    assert!(bars(1).tree().is_none());
}

#[test]
fn pictures_are_small() {
    for (name, chart) in kinds(8) {
        let most = if name.starts_with("bars") || name.starts_with("dots") { 6_000 } else { 12_000 };
        for size in WIDTHS.map(|width| svg(&chart, width).len()) {
            assert!(size <= most, "{size} bytes of {name}");
        }
    }
}
