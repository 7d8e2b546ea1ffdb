// The graph by levels: what views read stands to their left. Each database is a cluster, and many views of a level that
// are well are one box.
import { keyOf, span } from "./viewd.js";

const SHOWN = [25, 8]; // of a level, before the rest is one box: of few views, of many
const MANY = 300;
const EDGES = 4000;
const relations = ["table", "foreign table", "virtual table", "view", "materialized view"];
const section = document.getElementById("graph");
const box = section?.querySelector(".graph");
const open = new Set(); // levels that were unfolded: "database level"
let nodes = new Map(); // key -> {element, view, level, database, reads}
let boxes = new Map(); // key -> the element that stands for it
let shown_each = SHOWN[0];

// Without the quotes of SQL.
function plain(name) {
	return name.replaceAll('"', "").replaceAll("`", "");
}

// The files may leave out the schema of a relation.
function names(source, relation) {
	return source === relation || source.endsWith("." + relation);
}

function kind(view) {
	if (view.activity === "REFRESHING")
		return "busy";
	if (view.state === "FAILED" || view.state === "MISSING")
		return "bad";
	return view.state === "ACTIVE" && view.freshness === "FRESH" ? "good" : view.state === "DISABLED" ? "" : "warn";
}

function isWell(node) {
	return !node.view || kind(node.view) === "good" || kind(node.view) === "";
}

// The label of an upstream view: its name, or database:name where the name is on several.
function upstreamKey(views, view, label) {
	if (views.has(label))
		return label;
	const own = view.database + ":" + label;
	if (views.has(own))
		return own;
	for (const key of views.keys())
		if (key.endsWith(":" + label))
			return key;
	return null;
}

function gather(views) {
	nodes = new Map();
	for (const [key, view] of views)
		nodes.set(key, { key, view, database: view.database, reads: [], level: -1 });
	for (const [key, view] of views) {
		const node = nodes.get(key);
		node.reads = view.upstream.map(label => upstreamKey(views, view, label)).filter(k => k);
		const upstream = node.reads.map(k => plain(nodes.get(k).view.relation));
		for (const source of view.sources) {
			if (!relations.includes(source.kind) || source.heard_by === "kept" || upstream.some(name => names(plain(source.name), name)))
				continue;
			const id = view.database + " " + plain(source.name), known = nodes.get(id);
			if (!known)
				nodes.set(id, { key: id, source, database: view.database, reads: [], level: 0 });
			else if (!known.source.heard_by)
				known.source = source;
			// A source that is read through another view has its line to that view.
			if (!view.upstream.length || !node.reads.some(k => nodes.get(k).view?.sources.some(s => plain(s.name) === plain(source.name))))
				node.reads.push(id);
		}
	}
	for (const node of nodes.values())
		levelOf(node, new Set());
}

function levelOf(node, path) {
	if (node.level >= 0 || path.has(node))
		return Math.max(node.level, 0);
	path.add(node);
	let level = 0;
	for (const key of node.reads)
		level = Math.max(level, levelOf(nodes.get(key), path));
	path.delete(node);
	return node.level = level + 1;
}

function describe(node) {
	const view = node.view;
	return view.name + ": " + view.state + ", " + view.freshness + (view.activity === "IDLE" ? "" : ", " + view.activity) +
		(view.error ? ", " + view.error.message : "") + (view.upstream.length ? ", reads " + view.upstream.join(", ") : "");
}

function dress(node) {
	const view = node.view;
	node.element.className = "node " + kind(view);
	const lag = view.freshness === "STALE" && view.stale_since ? span((Date.now() - Date.parse(view.stale_since)) / 1000) : "";
	const small = document.createElement("small");
	small.textContent = view.activity === "REFRESHING" ? "refreshing" : view.state !== "ACTIVE" ? view.state.toLowerCase() : lag || view.freshness.toLowerCase();
	node.element.replaceChildren(view.name, small);
	node.element.setAttribute("aria-label", describe(node));
	node.element.title = describe(node);
}

function element(node) {
	if (node.view) {
		node.element = document.createElement("a");
		node.element.href = "/view?view=" + encodeURIComponent(node.key);
		dress(node);
	} else {
		node.element = document.createElement("span");
		node.element.className = "node source" + (node.source.heard_by ? "" : " warn");
		node.element.textContent = plain(node.source.name);
		node.element.title = node.source.kind + ", heard by " + (node.source.heard_by ?? "nothing");
	}
	node.element.dataset.key = node.key;
	boxes.set(node.key, node.element);
	return node.element;
}

function more(hidden, id) {
	const button = document.createElement("button");
	button.type = "button";
	button.className = "node more";
	button.dataset.box = id;
	button.textContent = hidden.length + " more" + (hidden[0].view ? ", all well" : "");
	button.setAttribute("aria-expanded", "false");
	button.addEventListener("click", () => {
		open.add(id);
		paint();
	});
	for (const node of hidden)
		boxes.set(node.key, button);
	return button;
}

function column(database, level, list) {
	const div = document.createElement("div");
	div.className = "level";
	const h4 = document.createElement("h4");
	h4.textContent = level === 0 ? "sources" : "level " + level;
	const id = database + " " + level;
	list.sort((a, b) => isWell(a) - isWell(b) || (a.key < b.key ? -1 : 1));
	const shown = open.has(id) || list.length <= shown_each ? list : list.filter((node, i) => i < shown_each - 1 || (!isWell(node) && i < 10 * shown_each));
	const rest = list.slice(shown.length);
	div.append(h4, ...shown.map(element));
	if (rest.length)
		div.append(more(rest, id));
	return div;
}

function paint() {
	shown_each = SHOWN[Number(nodes.size > MANY)];
	const focused = box.contains(document.activeElement) ? document.activeElement.dataset.key : null;
	const clusters = new Map();
	boxes = new Map();
	for (const node of nodes.values()) {
		if (!clusters.has(node.database))
			clusters.set(node.database, []);
		(clusters.get(node.database)[node.level] ??= []).push(node);
	}
	box.replaceChildren(...[...clusters].sort((a, b) => a[0] < b[0] ? -1 : 1).map(([database, levels]) => {
		const div = document.createElement("div");
		div.className = "cluster";
		const h3 = document.createElement("h3");
		h3.textContent = database;
		const row = document.createElement("div");
		row.className = "levels";
		for (const [level, list] of levels.entries())
			if (list)
				row.append(column(database, level, list));
		div.append(h3, row);
		return div;
	}));
	section.hidden = nodes.size === 0;
	boxes.get(focused)?.focus();
	lines();
}

// The edge that holds something up: what is read is itself not well, and the reader waits for it.
function holds(from, to) {
	return from.view && !isWell(from) && to.view && !isWell(to);
}

function lines() {
	const ns = "http://www.w3.org/2000/svg";
	box.querySelector(":scope > svg")?.remove();
	const svg = document.createElementNS(ns, "svg");
	const frame = box.getBoundingClientRect();
	const at = new Map();
	const place = el => {
		if (!at.has(el)) {
			const r = el.getBoundingClientRect();
			at.set(el, { left: r.left - frame.left + box.scrollLeft, right: r.right - frame.left + box.scrollLeft, y: r.top - frame.top + r.height / 2 });
		}
		return at.get(el);
	};
	const drawn = new Map();
	for (const node of nodes.values())
		for (const key of node.reads) {
			const from = boxes.get(key), to = boxes.get(node.key), from_node = nodes.get(key);
			if (!from || !to || from === to)
				continue;
			const id = (from.dataset.key ?? from.dataset.box) + ">" + (to.dataset.key ?? to.dataset.box);
			if (drawn.size >= EDGES || drawn.has(id))
				continue;
			const a = place(from), b = place(to), bend = Math.max(20, (b.left - a.right) / 2);
			const path = document.createElementNS(ns, "path");
			path.setAttribute("d", `M${a.right} ${a.y}C${a.right + bend} ${a.y} ${b.left - bend} ${b.y} ${b.left} ${b.y}`);
			path.setAttribute("class", holds(from_node, node) ? "edge holds" : "edge");
			path.dataset.from = key;
			path.dataset.to = node.key;
			drawn.set(id, path);
		}
	svg.setAttribute("aria-hidden", "true");
	svg.setAttribute("width", box.scrollWidth);
	svg.setAttribute("height", box.scrollHeight);
	svg.append(...drawn.values());
	box.append(svg);
}

function near(key, on) {
	for (const path of box.querySelectorAll(".edge"))
		if (path.dataset.from === key || path.dataset.to === key)
			path.classList.toggle("near", on);
}

// Arrows: up and down within a level, left to what is read, right to what reads it.
function move(event) {
	const el = event.target.closest?.(".node");
	if (!el || !["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"].includes(event.key))
		return;
	const node = nodes.get(el.dataset.key);
	let next = null;
	if (event.key === "ArrowUp" || event.key === "ArrowDown") {
		next = event.key === "ArrowUp" ? el.previousElementSibling : el.nextElementSibling;
	} else if (event.key === "ArrowLeft") {
		next = node?.reads.map(key => boxes.get(key)).find(b => b?.matches("a, button"));
	} else {
		const reader = [...nodes.values()].find(other => other.reads.includes(node?.key) && boxes.has(other.key));
		next = reader ? boxes.get(reader.key) : null;
	}
	if (next?.matches("a, button")) {
		event.preventDefault();
		next.focus();
	}
}

export function draw(views) {
	if (!box)
		return;
	gather(views);
	paint();
}

// States changed, edges did not: unless a box that stood for well ones has to open.
export function update(views) {
	let lines_change = false;
	let again = views.size !== [...nodes.values()].filter(node => node.view).length;
	for (const [key, view] of views) {
		const node = nodes.get(key);
		if (!node || again)
			break;
		const was = isWell(node);
		again = node.view.upstream.join() !== view.upstream.join() || node.view.sources.length !== view.sources.length;
		node.view = view;
		if (node.element?.isConnected)
			dress(node);
		if (was === isWell(node))
			continue;
		if (boxes.get(key) === node.element)
			lines_change = true;
		else
			again = true;
	}
	if (again)
		draw(views);
	else if (lines_change)
		lines();
}

if (box) {
	box.addEventListener("keydown", move);
	for (const [on, off] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
		box.addEventListener(on, event => { const el = event.target.closest(".node"); if (el?.dataset.key) near(el.dataset.key, true); });
		box.addEventListener(off, event => { const el = event.target.closest(".node"); if (el?.dataset.key) near(el.dataset.key, false); });
	}
	let waits = 0;
	addEventListener("resize", () => { cancelAnimationFrame(waits); waits = requestAnimationFrame(lines); });
}
