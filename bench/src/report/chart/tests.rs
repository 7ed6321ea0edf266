//! Pictures read back: what stands where, for few and many servers, on wide and narrow screens.

use svg::node::Attributes;
use svg::node::element::tag::Type;
use svg::parser::Event;

use super::*;

const WIDTHS: [Width; 2] = [Width::Wide, Width::Narrow];

const HOSTILE: &str = "<script>alert(1)</script>&\"'";

/// Names as they are, a long one, a hostile one, and one in another script.
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

/// An element as it was read, with what it inherits.
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

fn elements(svg: &str) -> Vec<Element> {
    let mut open: Vec<Attributes> = Vec::new();
    let mut elements: Vec<Element> = Vec::new();
    for event in svg::read(svg).unwrap() {
        match event {
            Event::Tag(name, kind, own) if kind != Type::End => {
                let mut attributes = open.last().cloned().unwrap_or_default();
                attributes.extend(own);
                elements.push(Element {
                    name: name.into(),
                    attributes: attributes.clone(),
                    text: String::new(),
                });
                if kind == Type::Start {
                    open.push(attributes);
                }
            }
            Event::Tag(..) => drop(open.pop()),
            Event::Text(text) => elements.last_mut().unwrap().text.push_str(&unescaped(text.trim())),
            Event::Error(error) => panic!("{error} in {svg}"),
            _ => {}
        }
    }
    assert!(open.is_empty(), "an element is left open in {svg}");
    elements
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

impl Element {
    fn number(&self, attribute: &str) -> f64 {
        self.attributes[attribute].parse().unwrap()
    }
}

/// Lines of text with what is said behind them in another hand.
fn text_boxes(svg: &str) -> Vec<TextBox> {
    let mut boxes: Vec<TextBox> = Vec::new();
    for element in elements(svg) {
        let size = || element.number("font-size");
        let width = |size: f64| 0.56 * size * f64::from(u32::try_from(element.text.chars().count()).unwrap());
        match element.name.as_str() {
            "text" => {
                let (x, y, width) = (element.number("x"), element.number("y"), width(size()));
                let left = match element.attributes.get("text-anchor").map(|anchor| &**anchor) {
                    Some("end") => x - width,
                    Some("middle") => x - width / 2.0,
                    _ => x,
                };
                let (top, bottom) = (y - 0.8 * size(), y + 0.2 * size());
                boxes.push(TextBox { text: element.text, left, right: left + width, top, bottom });
            }
            "tspan" => {
                let text_box = boxes.last_mut().unwrap();
                text_box.right += element.number("dx") + width(size());
                text_box.text += &format!(" {}", element.text);
            }
            _ => {}
        }
    }
    boxes
}

fn view_box(svg: &str) -> [f64; 2] {
    let first = elements(svg).swap_remove(0);
    let numbers = first.attributes["viewBox"].split(' ').map(|number| number.parse::<f64>().unwrap());
    let [_, _, width, height] = numbers.collect::<Vec<_>>().try_into().unwrap();
    [width, height]
}

fn chart(id: &str, plot: Plot) -> Chart {
    Chart { id: id.into(), title: "CPU time".into(), description: "hyper needs least.".into(), plot }
}

fn name(place: u32) -> String {
    let name = NAMES[place as usize % NAMES.len()];
    if place < 8 { name.into() } else { format!("{place}-{name}").chars().take(30).collect() }
}

fn mark(place: u32) -> Attribution {
    [
        Attribution::Server,
        Attribution::Server,
        Attribution::Tool,
        Attribution::Invalid,
        Attribution::Reference,
    ][place as usize % 5]
}

fn figure(value: f64) -> Figure {
    Figure { value, interval: Some([value * 0.97, value * 1.04]) }
}

/// Servers of which one has no figure, and of more than six the last is 20 times slower than the first.
fn bars(servers: u32) -> Chart {
    let bar = |place: u32| Bar {
        label: name(place),
        figure: (place != 3).then(|| {
            figure(if servers > 6 && place + 1 == servers {
                163e-6
            } else {
                8.12e-6 + 0.4e-6 * f64::from(place)
            })
        }),
        attribution: mark(place),
        note: ["", "", "client-bound", "no runs yet", "as published"][place as usize % 5].into(),
    };
    let bars = (0..servers).map(bar).collect();
    let label = "CPU time a request".into();
    chart("cpu", Plot::Bars(Bars { label, quantity: Quantity::Time, bars, noise: Some(0.017) }))
}

/// CPU time in pieces: of every third server they come to more than was measured, of every fourth some are not known.
fn stack(servers: u32) -> Chart {
    let bar = |place: u32| {
        let whole = if place == 5 { 163e-6 } else { 8.12e-6 + 0.2e-6 * f64::from(place) };
        let framework = if place % 3 == 2 { 5.2e-6 } else { 1.2e-6 };
        let known = [Some(5e-6), (place % 4 != 1).then_some(0.8e-6), Some(framework)];
        let rest = whole - known.iter().flatten().sum::<f64>();
        let pieces = known.into_iter().chain([None, Some(rest)]).collect();
        let note = ["18 % unexplained", ""][place as usize % 2].into();
        StackedBar { label: name(place), whole: figure(whole), pieces, note }
    };
    let part = |label: &str, is_rest| Part { label: label.into(), is_rest };
    let parts = vec![
        part("kernel floor", false),
        part("switches", false),
        part("framework", false),
        part("runtime and code, not told apart", false),
        part("unexplained", true),
    ];
    let bars = (0..servers).map(bar).collect();
    let plot = Stack { label: "CPU/request".into(), quantity: Quantity::Time, parts, bars };
    chart("ledger", Plot::Stack(plot))
}

/// Tail latency over connections; of every fifth server the client is the bound at the end, of another the last is invalid.
fn lines(servers: u32) -> Chart {
    let connections = [1.0, 8.0, 64.0, 256.0, 1024.0, 8192.0];
    let line = |place: u32| {
        let point = |(step, x): (usize, &f64)| Point {
            x: *x,
            y: figure(80e-6 * (1.0 + 0.08 * f64::from(place)) * x.powf(0.6 + 0.01 * f64::from(place % 7))),
            attribution: if step == 5 { mark(place) } else { Attribution::Server },
        };
        let points = connections.iter().enumerate().map(point).collect();
        Line { label: name(place), points, has_marks: true }
    };
    let x = Axis { label: "connections".into(), quantity: Quantity::Count, scale: Scale::Log };
    let y = Axis { label: "p99 latency".into(), quantity: Quantity::Time, scale: Scale::Log };
    chart("latency", Plot::Lines(Lines { x, y, lines: (0..servers).map(line).collect() }))
}

/// Latency by percentile, of many points without marks.
fn percentiles(servers: u32, points: u32) -> Chart {
    let line = |place: u32| {
        let point = |step: u32| {
            let spread = f64::from(step) / f64::from(points) * 4.2;
            let value = 60e-6
                * (1.0 + 0.15 * f64::from(place))
                * (1.0 + spread.powi(3) * (1.0 + f64::from(place % 4)));
            Point {
                x: 1.0 - 10_f64.powf(-spread),
                y: Figure { value, interval: None },
                attribution: Attribution::Server,
            }
        };
        Line { label: name(place), points: (0..points).map(point).collect(), has_marks: false }
    };
    let x = Axis {
        label: "of all answers are faster".into(),
        quantity: Quantity::Share,
        scale: Scale::Percentile,
    };
    let y = Axis { label: "latency".into(), quantity: Quantity::Time, scale: Scale::Log };
    chart("percentiles", Plot::Lines(Lines { x, y, lines: (0..servers).map(line).collect() }))
}

/// Rates by rate, evenly spread.
fn rates(servers: u32) -> Chart {
    let line = |place: u32| {
        let most = 60e3 + 12e3 * f64::from(place);
        let point = |step: u32| {
            let x = 20e3 * f64::from(step);
            Point {
                x,
                y: figure(x.min(most)),
                attribution: if x > most { mark(place) } else { Attribution::Server },
            }
        };
        Line { label: name(place), points: (0..8).map(point).collect(), has_marks: true }
    };
    let axis = |label: &str| Axis { label: label.into(), quantity: Quantity::Rate, scale: Scale::Linear };
    let plot =
        Lines { x: axis("requests sent"), y: axis("answers"), lines: (0..servers).map(line).collect() };
    chart("rates", Plot::Lines(plot))
}

fn dots(servers: u32) -> Chart {
    let row = |place: u32| {
        let value = |run: u32| 8.1e-6 + 0.1e-6 * f64::from(place) + 0.07e-6 * f64::from(run * 5 % 7);
        let dot = |run: u32| Dot {
            value: value(run),
            attribution: if run == 6 { mark(place) } else { Attribution::Server },
        };
        DotRow { label: name(place), dots: (0..7).map(dot).collect(), median: Some(value(3)) }
    };
    let rows = (0..servers).map(row).collect();
    chart("runs", Plot::Dots(Dots { label: "CPU time a request".into(), quantity: Quantity::Time, rows }))
}

/// Charts of all kinds, of one server and of many.
fn samples() -> Vec<(String, Chart)> {
    let mut samples = Vec::new();
    for servers in [1, 6, 8, 16, 30] {
        samples.push((format!("bars-{servers}"), bars(servers)));
        samples.push((format!("stack-{servers}"), stack(servers)));
        samples.push((format!("lines-{servers}"), lines(servers)));
        samples.push((format!("percentiles-{servers}"), percentiles(servers, 50)));
        samples.push((format!("rates-{servers}"), rates(servers)));
        samples.push((format!("dots-{servers}"), dots(servers)));
    }
    samples
}

#[test]
fn no_text_is_cut_off_or_lies_on_other_text() {
    for (name, chart) in samples() {
        for width in WIDTHS {
            let svg = svg(&chart, width);
            let [right, bottom] = view_box(&svg);
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
}

#[test]
fn bars_begin_at_0_and_are_as_long_as_their_figures() {
    for (servers, width) in [(6, Width::Wide), (6, Width::Narrow), (16, Width::Wide), (16, Width::Narrow)] {
        let chart = bars(servers);
        let Plot::Bars(Bars { bars, .. }) = &chart.plot else { panic!() };
        let svg = svg(&chart, width);
        let drawn =
            elements(&svg).into_iter().filter(|element| element.name == "rect").skip(1).collect::<Vec<_>>();
        let figures = bars.iter().filter_map(|bar| bar.figure).map(|figure| figure.value).collect::<Vec<_>>();
        assert_eq!(figures.len(), drawn.len());
        let mut paths = elements(&svg).into_iter().filter_map(|element| element.attributes.get("d").cloned());
        let base = paths.find(|path| path.contains('L')).unwrap();
        let pixels = drawn[0].number("width") / figures[0];
        let longest = drawn.iter().map(|bar| bar.number("width")).fold(0.0, f64::max);
        for (bar, figure) in drawn.iter().zip(&figures) {
            assert!(base.starts_with(&format!("M{} ", bar.number("x"))), "{width:?}: {base}");
            // One that is twenty times longer than the others is cut, and said to be.
            let is_cut = *figure > 100e-6;
            let (is, whole) = (bar.number("width"), figure * pixels);
            assert!(if is_cut { is >= longest && is < whole } else { (is - whole).abs() < 0.3 }, "{figure}");
            assert_eq!(svg.contains("a bar that is cut"), figures.iter().any(|figure| *figure > 100e-6));
        }
    }
}

/// The pieces of each bar, as where they begin and end, and where its stroke is.
fn stacked(chart: &Chart, width: Width) -> Vec<(Vec<[f64; 2]>, f64)> {
    let elements = elements(&svg(chart, width));
    let strokes = elements
        .iter()
        .find(|element| element.attributes.get("stroke-width").is_some_and(|width| **width == *"2.5"));
    let middles = strokes.unwrap().attributes["d"].split('M').skip(1).map(|stroke| {
        let (x, rest) = stroke.split_once(' ').unwrap();
        let (y, height) = rest.split_once('v').unwrap();
        let [x, y, height] = [x, y, height].map(|number| number.parse::<f64>().unwrap());
        (x, y + height / 2.0)
    });
    let rows = middles.map(|(stroke, middle)| {
        let is_of_row = |element: &&Element| {
            element.name == "rect"
                && (element.number("y") + element.number("height") / 2.0 - middle).abs() < 0.2
        };
        let pieces = elements.iter().filter(is_of_row).map(|piece| {
            let left = piece.number("x");
            [left, left + piece.number("width")]
        });
        (pieces.collect(), stroke)
    });
    rows.collect()
}

#[test]
fn pieces_follow_each_other_and_end_at_the_stroke_if_they_add_up() {
    for width in WIDTHS {
        let chart = stack(4);
        let Plot::Stack(Stack { bars, .. }) = &chart.plot else { panic!() };
        let rows = stacked(&chart, width);
        assert_eq!(rows.len(), bars.len());
        let (first, stroke) = &rows[0];
        let (base, pixels) = (first[0][0], (stroke - first[0][0]) / bars[0].whole.value);
        for ((pieces, stroke), bar) in rows.iter().zip(bars) {
            let lengths = bar.pieces.iter().flatten().filter(|length| **length > 0.0);
            let mut end = base;
            for (piece, length) in pieces.iter().zip(lengths.clone()) {
                assert!((piece[0] - end).abs() < 0.3, "{width:?} {}: {pieces:?}", bar.label);
                end += length * pixels;
                assert!((piece[1] - end).abs() < 0.3, "{width:?} {}: {pieces:?}", bar.label);
            }
            assert_eq!(pieces.len(), lengths.count());
            let whole = base + bar.whole.value * pixels;
            assert!((stroke - whole).abs() < 0.3, "{width:?} {}", bar.label);
            // What comes to too much is drawn, and not hidden.
            let is_too_much = bar.pieces.iter().flatten().any(|length| *length < 0.0);
            assert_eq!(end > whole + 0.3, is_too_much, "{width:?} {}", bar.label);
        }
    }
}

#[test]
fn parts_are_told_by_their_lines_and_by_name() {
    for width in WIDTHS {
        let svg = svg(&stack(1), width);
        let fills: std::collections::BTreeSet<String> = elements(&svg)
            .iter()
            .filter(|element| element.name == "rect")
            .map(|sample| {
                format!("{} {:?}", sample.attributes["fill"], sample.attributes.get("stroke-dasharray"))
            })
            .collect();
        assert_eq!(fills.len(), 5, "{fills:?}");
        let texts: Vec<String> = text_boxes(&svg).into_iter().map(|text_box| text_box.text).collect();
        for name in ["kernel floor", "switches", "framework", "unexplained", "measured"] {
            assert!(texts.contains(&name.to_owned()), "{name} is not in {texts:?}");
        }
    }
}

#[test]
fn figures_are_told_as_they_are() {
    for width in WIDTHS {
        let texts =
            text_boxes(&svg(&bars(8), width)).into_iter().map(|text_box| text_box.text).collect::<Vec<_>>();
        for (value, note) in
            [("8.12 µs", ""), ("8.92 µs", "client-bound"), ("–", "no runs yet"), ("163 µs", "client-bound")]
        {
            let expected = if width == Width::Wide { format!("{value} {note}") } else { value.to_owned() };
            assert!(texts.iter().any(|text| text == expected.trim()), "{expected} is not in {texts:?}");
            assert!(note.is_empty() || texts.iter().any(|text| text.contains(note)));
        }
        assert!(texts.contains(&"noise ±1.7 %".to_owned()));
        assert!(texts.contains(&"CPU time a request (a bar that is cut is longer), µs".to_owned()));
    }
}

#[test]
fn figures_are_behind_whiskers() {
    for width in WIDTHS {
        let svg = svg(&bars(6), width);
        let whiskers = elements(&svg).into_iter().rfind(|element| element.name == "path").unwrap();
        let ends = whiskers.attributes["d"].split('H').skip(1);
        let ends = ends.map(|rest| rest.split('M').next().unwrap().parse::<f64>().unwrap());
        let values = text_boxes(&svg)
            .into_iter()
            .filter(|text_box| text_box.text.contains("µs") && !text_box.text.starts_with("CPU"));
        for (end, value) in ends.zip(values) {
            assert!(value.left > end, "{value:?} begins before {end}");
        }
    }
}

#[test]
fn ticks_are_labelled() {
    for (chart, expected) in [
        (
            lines(6),
            &["1", "8", "64", "256", "1,024", "8,192", "0.1", "10", "connections", "p99 latency, ms"][..],
        ),
        (percentiles(6, 50), &["0", "50", "90", "99", "99.9", "99.99", "latency, ms"]),
        (rates(6), &["0", "20,000", "100,000", "140,000", "answers, /s", "requests sent, /s"]),
        (dots(6), &["8.2", "8.4", "9", "axis does not begin at 0", "CPU time a request, µs"]),
    ] {
        for width in WIDTHS {
            let texts =
                text_boxes(&svg(&chart, width)).into_iter().map(|text_box| text_box.text).collect::<Vec<_>>();
            for label in expected {
                assert!(texts.contains(&(*label).to_owned()), "{label} is not in {texts:?}");
            }
        }
    }
}

#[test]
fn facts_that_are_not_the_servers_are_told_by_shape() {
    let wide = svg(&bars(6), Width::Wide);
    for shape in ["fill=\"url(#cpu-wide-hatching)\"", "stroke-dasharray=\"1.5 2.5\""] {
        assert_eq!(1, wide.matches(shape).count(), "{shape}");
    }
    let key = |chart| {
        text_boxes(&svg(&chart, Width::Narrow)).into_iter().map(|text_box| text_box.text).collect::<Vec<_>>()
    };
    for words in ["client-bound", "invalid or disturbed", "not measured here"] {
        assert!(key(lines(6)).contains(&words.to_owned()));
        assert!(key(dots(6)).contains(&words.to_owned()));
        assert!(!key(dots(2)).contains(&words.to_owned()));
    }
}

#[test]
fn names_are_escaped() {
    for (_, chart) in samples() {
        for hostile in [chart.clone(), Chart { title: HOSTILE.into(), description: HOSTILE.into(), ..chart }]
        {
            for svg in WIDTHS.map(|width| standalone(&hostile, width)) {
                assert!(!svg.contains("<script"), "{svg}");
            }
        }
    }
}

#[test]
fn who_cannot_see_it_is_told() {
    for (width, name) in [(Width::Wide, "wide"), (Width::Narrow, "narrow")] {
        let elements = elements(&svg(&bars(6), width));
        let (title, description) = (format!("cpu-{name}-title"), format!("cpu-{name}-description"));
        let attribute = |name: &str| elements[0].attributes[name].to_string();
        assert_eq!("img", attribute("role"));
        assert_eq!(format!("{title} {description}"), attribute("aria-labelledby"));
        assert_eq!("http://www.w3.org/2000/svg", attribute("xmlns"));
        let told = elements.iter().filter(|element| ["title", "desc"].contains(&element.name.as_str()));
        let told = told.map(|element| (element.attributes["id"].to_string(), element.text.as_str()));
        assert_eq!(vec![(title, "CPU time"), (description, "hyper needs least.")], told.collect::<Vec<_>>());
    }
}

#[test]
fn a_page_is_not_made_wider() {
    for (width, pixels) in [(Width::Wide, "880"), (Width::Narrow, "350")] {
        let sheet = elements(&svg(&bars(6), width)).swap_remove(0);
        assert!(!sheet.attributes.contains_key("width"));
        assert!(sheet.attributes["viewBox"].starts_with(&format!("0 0 {pixels} ")));
        assert!(sheet.attributes["style"].contains(&format!("max-width:{pixels}px")));
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

#[test]
fn what_is_no_figure_is_not_drawn() {
    let wild = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0, 1e-290, 1e290, 7.0];
    let figures = || {
        let of = |value| wild.map(|end| Figure { value, interval: Some([-end, end]) });
        wild.into_iter().flat_map(of)
    };
    let bar = |figure| Bar {
        label: "hyper".into(),
        figure: Some(figure),
        attribution: Attribution::Server,
        note: String::new(),
    };
    let plot = |quantity| Bars {
        label: "time".into(),
        quantity,
        bars: figures().map(bar).collect(),
        noise: Some(f64::NAN),
    };
    let stacked = |whole| {
        let pieces = wild.into_iter().map(Some).chain([None]).collect();
        StackedBar { label: "hyper".into(), whole, pieces, note: String::new() }
    };
    let parts = vec![Part { label: "kernel".into(), is_rest: false }; wild.len() + 1];
    let stack = Stack {
        label: "time".into(),
        quantity: Quantity::Time,
        parts,
        bars: figures().map(stacked).collect(),
    };
    let mut plots =
        vec![Plot::Bars(plot(Quantity::Time)), Plot::Bars(plot(Quantity::Memory)), Plot::Stack(stack)];
    for scale in [Scale::Linear, Scale::Log, Scale::Percentile] {
        let axis = || Axis { label: "time".into(), quantity: Quantity::Count, scale };
        let point = |(y, x): (Figure, f64)| Point { x, y, attribution: Attribution::Server };
        let points = figures().zip(wild.into_iter().cycle()).map(point).collect();
        let lines = vec![Line { label: "hyper".into(), points, has_marks: true }];
        plots.push(Plot::Lines(Lines { x: axis(), y: axis(), lines }));
    }
    for median in wild {
        let dots = wild.map(|value| Dot { value, attribution: Attribution::Server }).to_vec();
        let rows = vec![DotRow { label: "hyper".into(), dots, median: Some(median) }];
        plots.push(Plot::Dots(Dots { label: "time".into(), quantity: Quantity::Time, rows }));
    }
    for plot in plots {
        for svg in WIDTHS.map(|width| svg(&chart("wild", plot.clone()), width)) {
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            elements(&svg);
        }
    }
}

#[test]
fn without_figures_it_says_so() {
    let axis = || Axis { label: "time".into(), quantity: Quantity::Time, scale: Scale::Log };
    let bar =
        Bar { label: "hyper".into(), figure: None, attribution: Attribution::Server, note: String::new() };
    let line = Line { label: "hyper".into(), points: Vec::new(), has_marks: true };
    let row = DotRow { label: "hyper".into(), dots: Vec::new(), median: None };
    let label = || "time".to_owned();
    let quantity = Quantity::Time;
    for plot in [
        Plot::Bars(Bars { label: label(), quantity, bars: Vec::new(), noise: None }),
        Plot::Bars(Bars { label: label(), quantity, bars: vec![bar], noise: Some(0.01) }),
        Plot::Stack(Stack { label: label(), quantity, parts: Vec::new(), bars: Vec::new() }),
        Plot::Lines(Lines { x: axis(), y: axis(), lines: Vec::new() }),
        Plot::Lines(Lines { x: axis(), y: axis(), lines: vec![line] }),
        Plot::Dots(Dots { label: label(), quantity, rows: Vec::new() }),
        Plot::Dots(Dots { label: label(), quantity, rows: vec![row] }),
    ] {
        for width in WIDTHS {
            let texts = text_boxes(&svg(&chart("empty", plot.clone()), width));
            assert_eq!(vec!["no figures"], texts.iter().map(|text| text.text.as_str()).collect::<Vec<_>>());
        }
    }
}

#[test]
fn pictures_are_small() {
    for (chart, most) in [
        (bars(8), 6_000),
        (stack(8), 9_000),
        (percentiles(8, 50), 12_000),
        (lines(8), 12_000),
        (dots(8), 6_000),
    ] {
        for width in WIDTHS {
            let size = svg(&chart, width).len();
            assert!(size <= most, "{size} bytes of {} {width:?}", chart.id);
        }
    }
}
