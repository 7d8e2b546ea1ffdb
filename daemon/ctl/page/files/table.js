// The table of all views: cells follow the news, rows are sorted, filtered and searched.
import { span, when, words } from "./viewd.js";

const table = document.getElementById("views");
const body = table.tBodies[0];
const form = document.getElementById("filter");
const rows = new Map();
const order = { column: -1, down: false };

function cell(td, text, kind, value) {
	if (td.textContent !== text || td.firstElementChild)
		td.textContent = text;
	if (kind !== undefined && td.className !== kind)
		td.className = kind;
	if (value !== undefined)
		td.dataset.value = value ?? "";
}

function makeRow(key, view) {
	const tr = document.createElement("tr");
	tr.dataset.key = key;
	const th = document.createElement("th");
	th.scope = "row";
	const a = document.createElement("a");
	a.href = "/view?view=" + encodeURIComponent(key);
	a.textContent = view.name;
	th.append(a);
	tr.append(th);
	for (let i = 1; i < table.tHead.rows[0].cells.length; i++)
		tr.append(document.createElement("td"));
	body.append(tr);
	return tr;
}

function labels(tr) {
	const heads = table.tHead.rows[0].cells;
	for (let i = 4; i < tr.cells.length - 1; i++)
		tr.cells[i].dataset.label = heads[i].textContent;
}

export function show(key, view, now) {
	let tr = rows.get(key);
	if (!tr) {
		tr = makeRow(key, view);
		rows.set(key, tr);
		labels(tr);
	}
	const c = tr.cells;
	const lag = view.freshness === "STALE" && view.stale_since ? (now - Date.parse(view.stale_since)) / 1000 : view.lag_seconds;
	cell(c[1], view.database);
	cell(c[2], view.activity === "IDLE" ? view.state : view.state + " " + view.activity, view.activity === "REFRESHING" ? "REFRESHING" : view.state);
	cell(c[3], view.freshness, view.freshness);
	cell(c[4], lag === null ? "" : span(lag), "n", lag === null ? "" : Math.round(lag * 1e6));
	cell(c[5], view.result ?? "", view.result ?? "");
	cell(c[6], view.duration_ms === null ? "" : span(view.duration_ms / 1000), "n", view.duration_ms);
	cell(c[7], view.rows === null ? "" : String(view.rows), "n", view.rows);
	cell(c[8], view.next_refresh_time ? when(view.next_refresh_time, now) : "", "", view.next_refresh_time ?? "");
	cell(c[9], view.error ? view.error.message : "", "error");
	tr.hidden = !wanted(view);
}

export function forget(keys) {
	for (const [key, tr] of rows)
		if (!keys.has(key)) {
			tr.remove();
			rows.delete(key);
		}
}

export function count() {
	let n = 0;
	for (const tr of rows.values())
		n += !tr.hidden;
	return n;
}

// ---- filter ----

const wish = { text: "", state: "", database: "" };

function wanted(view) {
	if (wish.database && view.database !== wish.database)
		return false;
	if (wish.state === "trouble" && view.freshness === "FRESH" && view.state === "ACTIVE")
		return false;
	if (wish.state && wish.state !== "trouble" && ![view.state, view.freshness, view.activity, view.result].includes(wish.state))
		return false;
	const text = view.name + " " + view.database + " " + (view.owner ?? "") + " " + (view.description ?? "") + " " + (view.error?.message ?? "");
	return wish.text.split(/\s+/).every(part => text.toLowerCase().includes(part));
}

function readHash() {
	const hash = new URLSearchParams(location.hash.slice(1));
	form.elements.text.value = hash.get("text") ?? "";
	form.elements.state.value = hash.get("state") ?? "";
	form.elements.database.value = hash.get("database") ?? "";
	const column = [...table.tHead.rows[0].cells].findIndex(th => th.textContent.toLowerCase() === hash.get("sort"));
	if (column >= 0)
		sort(column, hash.get("down") === "1");
}

function writeHash() {
	const hash = new URLSearchParams();
	for (const [key, value] of Object.entries(wish))
		if (value)
			hash.set(key, value);
	if (order.column >= 0) {
		hash.set("sort", table.tHead.rows[0].cells[order.column].textContent.toLowerCase());
		if (order.down)
			hash.set("down", "1");
	}
	history.replaceState(null, "", hash.size ? "#" + hash : location.pathname);
}

function option(value, text) {
	const o = document.createElement("option");
	o.value = value;
	o.textContent = text;
	return o;
}

function labelled(text, control) {
	const label = document.createElement("label");
	label.append(text + " ", control);
	return label;
}

export function begin(databases, changed) {
	for (const tr of body.rows) {
		rows.set(tr.dataset.key, tr);
		labels(tr);
	}
	const text = document.createElement("input");
	text.type = "search";
	text.name = "text";
	text.placeholder = "search ( / )";
	text.setAttribute("aria-label", "Search views");
	const state = document.createElement("select");
	state.name = "state";
	state.append(option("", "all"), option("trouble", "in trouble"), ...words.map(word => option(word, word)));
	const database = document.createElement("select");
	database.name = "database";
	database.append(option("", "all"), ...databases.map(name => option(name, name)));
	const found = document.createElement("output");
	found.id = "found";
	form.append(text, labelled("State", state), labelled("Database", database), found);
	form.hidden = false;
	for (const [i, th] of [...table.tHead.rows[0].cells].entries()) {
		const button = document.createElement("button");
		button.type = "button";
		button.textContent = th.textContent;
		button.addEventListener("click", () => {
			sort(i, order.column === i && !order.down);
			writeHash();
		});
		th.replaceChildren(button);
	}
	const take = () => {
		wish.text = text.value.trim().toLowerCase();
		wish.state = state.value;
		wish.database = database.value;
		changed();
	};
	form.addEventListener("input", () => {
		take();
		writeHash();
	});
	form.addEventListener("submit", event => event.preventDefault());
	document.addEventListener("keydown", event => {
		if (event.key === "/" && !["INPUT", "SELECT"].includes(document.activeElement.tagName)) {
			event.preventDefault();
			text.focus();
		} else if (event.key === "Escape" && document.activeElement === text) {
			text.value = "";
			take();
			writeHash();
		}
	});
	addEventListener("hashchange", () => {
		readHash();
		take();
	});
	readHash();
	take();
}

// ---- order ----

function valueOf(tr, column) {
	const td = tr.cells[column];
	if (!td.classList.contains("n"))
		return (td.dataset.value ?? td.textContent).toLowerCase();
	return td.dataset.value === "" ? -1 : Number(td.dataset.value);
}

function sort(column, down) {
	order.column = column;
	order.down = down;
	const sorted = [...rows.values()].map(tr => [valueOf(tr, column), tr]);
	sorted.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0) * (down ? -1 : 1));
	body.append(...sorted.map(pair => pair[1]));
	for (const [i, th] of [...table.tHead.rows[0].cells].entries())
		if (i === column)
			th.setAttribute("aria-sort", down ? "descending" : "ascending");
		else
			th.removeAttribute("aria-sort");
}
