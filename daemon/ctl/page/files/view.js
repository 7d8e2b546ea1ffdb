// The page of one view comes to life: what changes is taken from the page itself, asked for again.
const key = document.querySelector("h1").dataset.key;

function table(headings, rows) {
	const t = document.createElement("table");
	const head = t.createTHead().insertRow();
	for (const text of headings) {
		const th = document.createElement("th");
		th.scope = "col";
		th.textContent = text;
		head.append(th);
	}
	const body = t.createTBody();
	for (const row of rows) {
		const tr = body.insertRow();
		for (const text of row) {
			const td = tr.insertCell();
			td.textContent = text ?? "";
			if (/^[A-Z_]+$/.test(td.textContent))
				td.className = td.textContent;
		}
	}
	const wide = document.createElement("div");
	wide.className = "wide";
	wide.append(t);
	return wide;
}

// Nested JSON as lists that a person can read.
function list(value) {
	if (value === null || typeof value !== "object")
		return document.createTextNode(String(value ?? ""));
	const dl = document.createElement(Array.isArray(value) ? "ul" : "dl");
	for (const [name, part] of Object.entries(value)) {
		if (part === null || part === "" || name === "schema" || (Array.isArray(part) && part.length === 0))
			continue;
		const dd = document.createElement(Array.isArray(value) ? "li" : "dd");
		dd.append(list(part));
		if (!Array.isArray(value)) {
			const dt = document.createElement("dt");
			dt.textContent = name.replaceAll("_", " ");
			dl.append(dt);
		}
		dl.append(dd);
	}
	return dl;
}

function put(id, ...children) {
	const section = document.getElementById(id);
	for (const old of section.querySelectorAll(":scope > :not(h2)"))
		old.remove();
	section.append(...children);
}

function paragraph(text, kind) {
	const p = document.createElement("p");
	p.textContent = text;
	p.className = kind;
	return p;
}

async function ask(path, show) {
	try {
		const answer = await fetch(`/v1/${path}?view=` + encodeURIComponent(key));
		const body = await answer.json();
		put(path, body.error ? paragraph(body.error.message, "error") : show(body));
	} catch {
		put(path, paragraph("cannot be asked for", "error"));
	}
}

function runs(body) {
	if (body.runs.length === 0)
		return paragraph("none recorded", "hint");
	return table(["Started", "Duration", "Trigger", "Action", "Result", "Rows", "Written", "Error"],
		body.runs.map(r => [r.started, r.duration_ms === null ? "" : r.duration_ms + "ms", r.trigger, r.action, r.result, r.rows, r.rows_written, r.error]));
}

async function refresh() {
	const answer = await fetch(location.href);
	if (!answer.ok)
		return;
	const other = new DOMParser().parseFromString(await answer.text(), "text/html");
	for (const section of document.querySelectorAll("[data-live]")) {
		const now = other.querySelector(`[data-live="${section.dataset.live}"]`);
		if (now && now.innerHTML !== section.innerHTML)
			section.replaceWith(document.importNode(now, true));
	}
}

let timer = 0;
const live = document.getElementById("live");
const source = new EventSource("/v1/events");
for (const kind of ["run", "state", "begin", "stale"])
	source.addEventListener(kind, event => {
		const news = JSON.parse(event.data);
		if (news.database + ":" + news.view !== key || timer)
			return;
		timer = setTimeout(() => {
			timer = 0;
			refresh();
			if (kind === "run")
				ask("history", runs);
		}, 200);
	});
source.addEventListener("open", () => { live.textContent = "live"; });
source.addEventListener("error", () => { live.textContent = "no connection to viewd"; });
setInterval(() => { if (!document.hidden) refresh().catch(() => {}); }, 15000);
await Promise.all([ask("history", runs), ask("explain", list)]);
document.documentElement.dataset.ready = "yes";
