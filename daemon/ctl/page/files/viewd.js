// The page of all views comes to life: what the daemon tells, in the table, the graph and the list of what runs.
import * as table from "./table.js";
import * as graph from "./graph.js";

export const words = ["FRESH", "STALE", "UNKNOWN", "ACTIVE", "PAUSED", "SUSPENDED", "MISSING", "FAILED", "STANDBY", "DISABLED", "REFRESHING", "WAITING"];

export function span(seconds) {
	if (seconds < 1)
		return Math.round(seconds * 1000) + "ms";
	if (seconds < 60)
		return seconds.toFixed(1) + "s";
	const s = Math.round(seconds), m = Math.floor(s / 60), h = Math.floor(m / 60), d = Math.floor(h / 24);
	return d ? d + "d" + h % 24 + "h" : h ? h + "h" + m % 60 + "m" : m + "m" + s % 60 + "s";
}

export function when(time, now) {
	const seconds = (Date.parse(time) - now) / 1000;
	return seconds > 0 ? "in " + span(seconds) : "now";
}

const views = new Map();
const dirty = new Set();
let timer = 0;

export function keyOf(view) {
	return view.database + ":" + view.name;
}

function summary() {
	const counts = new Map();
	for (const view of views.values()) {
		const word = view.state === "ACTIVE" ? view.freshness : view.state;
		counts.set(word, (counts.get(word) ?? 0) + 1);
	}
	const parts = [...counts].sort((a, b) => b[1] - a[1]).map(([word, n]) => n + " " + word);
	document.getElementById("summary").textContent = views.size + " views: " + parts.join(", ");
	document.getElementById("found").textContent = table.count() + " of " + views.size;
	document.title = [...views.values()].some(v => v.state === "FAILED" || v.state === "MISSING") ? "viewd (!)" : "viewd";
}

// Refreshes that run: elapsed and expected time.
function running() {
	const list = document.querySelector("#running ul");
	const items = [];
	for (const view of views.values()) {
		if (view.activity !== "REFRESHING" || !view.running_since)
			continue;
		const elapsed = Math.max(0, (Date.now() - Date.parse(view.running_since)) / 1000);
		const expected = view.expected_ms > 0 ? view.expected_ms / 1000 : null;
		const li = document.createElement("li");
		const a = document.createElement("a");
		a.href = "/view?view=" + encodeURIComponent(keyOf(view));
		a.textContent = keyOf(view);
		const bar = document.createElement("progress");
		bar.setAttribute("aria-label", "progress of " + keyOf(view));
		if (expected) {
			bar.max = Math.max(expected, elapsed);
			bar.value = elapsed;
		}
		li.append(a, bar, span(elapsed) + (expected ? " of about " + span(expected) : ""));
		items.push(li);
		if (items.length === 20)
			break;
	}
	list.replaceChildren(...items);
	document.getElementById("running").hidden = items.length === 0;
}

function show(some) {
	const now = Date.now();
	for (const view of some)
		table.show(keyOf(view), view, now);
	summary();
	running();
}

async function load() {
	const answer = await fetch("/v1/status");
	const all = await answer.json();
	const keys = new Set(all.map(keyOf));
	views.clear();
	for (const view of all)
		views.set(keyOf(view), view);
	table.forget(keys);
	return all;
}

async function loadDirty() {
	timer = 0;
	const keys = [...dirty];
	dirty.clear();
	if (keys.length > 30)
		await load();
	else {
		const query = keys.map(key => "view=" + encodeURIComponent(key)).join("&");
		const answer = await fetch("/v1/status?" + query);
		if (!answer.ok)
			return loadAll();
		for (const view of await answer.json())
			views.set(keyOf(view), view);
	}
	show(keys.map(key => views.get(key)).filter(view => view));
	graph.update(views);
}

async function loadAll() {
	show(await load());
	graph.draw(views);
}

function soon(key) {
	if (!views.has(key)) {
		loadAll();
		return;
	}
	dirty.add(key);
	for (const view of views.values()) // what reads it may be no fresher
		if (view.database + ":" + view.name !== key && view.upstream.some(up => up === key || key.endsWith(":" + up)))
			dirty.add(keyOf(view));
	if (!timer)
		timer = setTimeout(loadDirty, 200);
}

function listen() {
	const live = document.getElementById("live");
	const source = new EventSource("/v1/events");
	const take = event => {
		const news = JSON.parse(event.data);
		soon(news.database + ":" + news.view);
	};
	for (const kind of ["run", "state", "begin", "stale"])
		source.addEventListener(kind, take);
	source.addEventListener("open", () => {
		if (live.textContent === "no connection to viewd")
			loadAll();
		live.textContent = "live";
	});
	source.addEventListener("error", () => {
		live.textContent = "no connection to viewd";
	});
}

if (document.getElementById("views")) {
	const all = await load();
	const databases = [...new Set(all.map(view => view.database))].sort();
	table.begin(databases, () => show(views.values()));
	show(all);
	graph.draw(views);
	listen();
	setInterval(running, 1000);
	// Lags grow, and what the daemon does not tell (a database that went away) is seen all the same.
	setInterval(() => { if (!document.hidden) load().then(show).then(() => graph.update(views)).catch(() => {}); }, 15000);
	performance.mark("ready");
	document.documentElement.dataset.ready = "yes";
}
