// Lists the applications and shows the health of each, asked again every few seconds while the page is seen.
"use strict";

const INTERVAL = 5000; // milliseconds
const PATIENCE = 4000;

const words = {ready: "ready", degraded: "degraded", unready: "not ready", unknown: "no answer"};

async function getJSON(path) {
    const answer = await fetch(path, {cache: "no-store", signal: AbortSignal.timeout(PATIENCE)});
    return {ok: answer.ok, body: await answer.json().catch(() => ({}))};
}

function link(origin) {
    const a = document.createElement("a");
    a.href = `${origin}/health/ready`;
    a.textContent = origin;
    return a;
}

// Addresses keep the scheme of this page first: that is the one its reader's client has accepted.
function addresses(application) {
    const tls = location.protocol === "https:";
    const own = [`https://localhost:${application.https}`, `http://localhost:${application.http}`];
    const named = `${location.protocol}//${application.name}.localhost:${location.port}`;
    return [...(tls ? own : own.reverse()), named];
}

function card(application) {
    const item = document.getElementById("application").content.firstElementChild.cloneNode(true);
    item.querySelector("h3").textContent = application.name;
    for (const address of addresses(application)) {
        item.querySelector(".addresses").append(link(address));
    }
    return item;
}

function show(item, state, checks) {
    const shown = item.querySelector(".state");
    if (shown.dataset.state !== state) {
        shown.dataset.state = state;
        shown.textContent = words[state];
    }
    item.querySelector(".checks").replaceChildren(...checks.map(text => {
        const line = document.createElement("li");
        line.textContent = text;
        return line;
    }));
}

// The portal's own address answers for every application's health: no second certificate to accept, no CORS.
async function ask(item, application) {
    try {
        const {ok, body} = await getJSON(`/health/applications/${application.name}`);
        const checks = Object.entries(body.checks || {})
            .filter(([, check]) => check.status !== "healthy")
            .map(([name, check]) => `${name}: ${check.message || check.status}`);
        show(item, ok ? (body.status === "degraded" ? "degraded" : "ready") : "unready", checks);
    } catch {
        show(item, "unknown", []);
    }
}

async function main() {
    const list = document.getElementById("applications");
    const checked = document.getElementById("checked");
    let applications;
    try {
        ({body: {applications}} = await getJSON("/applications.json"));
    } catch {
        checked.textContent = "The list of applications does not load; reload this page.";
        return;
    }
    const cards = applications.map(application => [card(application), application]);
    list.append(...cards.map(([item]) => item));
    for (;;) {
        if (!document.hidden) {
            await Promise.all(cards.map(([item, application]) => ask(item, application)));
            checked.textContent = `Health asked at ${new Date().toLocaleTimeString()}`;
        }
        await new Promise(resolve => setTimeout(resolve, INTERVAL));
    }
}

main();
