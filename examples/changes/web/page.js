"use strict";

const mostShown = 1000; // changes on the page; older ones go
const patience = 25_000; // ms without a heartbeat until the connection counts as dead

const byId = (id) => document.getElementById(id);
const list = byId("changes");
const filter = byId("filter");

// The connection. token is how far this page has come: a new connection goes on
// from there.

let token = "";
let socket = null;
let heard = 0; // when the server was last heard
let attempts = 0;
let timer = 0;

function connect() {
  clearTimeout(timer);
  socket?.close();
  const url = new URL("changes", location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("after", token);
  const mine = new WebSocket(url);
  socket = mine;
  heard = Date.now();
  mine.onmessage = ({ data }) => {
    if (socket !== mine) return; // a new connection tells the rest
    heard = Date.now();
    attempts = 0;
    setStatus("live", "live");
    take(JSON.parse(data));
  };
  mine.onclose = () => {
    if (socket !== mine) return;
    socket = null;
    setStatus("lost", "reconnecting");
    const pause = Math.min(10_000, 250 * 2 ** attempts++);
    timer = setTimeout(connect, pause * (0.5 + Math.random()));
  };
}

// A phone that wakes up should not wait for its dead connection to be noticed.
function wake() {
  if (document.visibilityState !== "hidden" && (!socket || Date.now() - heard > patience)) connect();
}
document.addEventListener("visibilitychange", wake);
window.addEventListener("online", wake);
setInterval(wake, patience / 2);

function setStatus(state, text) {
  const status = byId("status");
  if (status.dataset.state === state) return;
  status.dataset.state = state;
  status.textContent = text;
}

// The list, newest first. All text goes through textContent: nothing that stands
// in a document can become markup.

function take(message) {
  if (message.gap) list.prepend(gap());
  const fresh = message.changes?.length < 20;
  for (const change of message.changes ?? []) {
    const item = render(change);
    item.classList.toggle("fresh", fresh);
    item.hidden = !matches(item);
    list.prepend(item);
  }
  while (list.children.length > mostShown) list.lastChild.remove();
  if (message.token) token = message.token;
  count();
}

function render(change) {
  const item = byId("change").content.firstElementChild.cloneNode(true);
  item.dataset.op = known(change.op) ? change.op : "other";
  item.querySelector(".op").textContent = change.op;
  const key = item.querySelector(".key");
  const [, id] = change.key?.match(/^\{"\$oid":"([0-9a-f]{24})"\}$/) ?? [];
  key.textContent = id ?? change.key ?? "";
  if (id) key.dataset.type = "id";
  const time = item.querySelector("time");
  time.dateTime = change.time;
  time.textContent = new Date(change.time).toLocaleTimeString();
  const fields = item.querySelector("dl");
  for (const field of change.fields ?? []) {
    row(fields, field.name, field.removed ? "removed" : field.value, field.removed);
  }
  if (change.more) row(fields, "…", `and ${change.more} more`);
  item.text = item.querySelector("p").textContent.toLowerCase() + fields.textContent.toLowerCase();
  return item;
}

function row(fields, name, value, removed = false) {
  const dt = document.createElement("dt");
  const dd = document.createElement("dd");
  dt.textContent = name;
  dd.textContent = value;
  if (!removed) dd.dataset.type = typeOf(value);
  dt.classList.toggle("removed", removed);
  dd.classList.toggle("removed", removed);
  fields.append(dt, dd);
}

// typeOf is the kind of a value in Extended JSON, for its colour.
function typeOf(value) {
  if (value.startsWith('"')) return "string";
  if (/^-?[0-9]/.test(value)) return "number";
  return /^(true|false|null)$/.test(value) ? "atom" : "other";
}

function gap() {
  const item = document.createElement("li");
  item.className = "gap";
  item.textContent = "The deployment no longer has what changed here.";
  return item;
}

// The filter.

const ops = [...filter.elements.op];
const known = (op) => ops.some((box) => box.value === op);

function matches(item) {
  const { op } = item.dataset;
  return !op || (ops.find((box) => box.value === op).checked && item.text.includes(filter.elements.text.value.toLowerCase()));
}

function count() {
  const all = list.querySelectorAll("li[data-op]").length;
  const shown = list.querySelectorAll("li[data-op]:not([hidden])").length;
  const changes = all === 1 ? "1 change" : `${all} changes`;
  byId("count").textContent = shown === all ? changes : `${shown} of ${changes}`;
}

filter.addEventListener("input", () => {
  for (const item of list.children) item.hidden = !matches(item);
  count();
});
filter.addEventListener("submit", (event) => event.preventDefault());

// The form. What it writes comes back as a change.

byId("write")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const output = form.querySelector("output");
  try {
    const body = new URLSearchParams(new FormData(form, event.submitter));
    const response = await fetch("documents", { method: "POST", body });
    output.textContent = response.ok ? "" : await response.text();
  } catch (error) {
    output.textContent = error.message;
  }
});

connect();
