"""A person before Superset: logs in, opens a dashboard in Chromium, and waits until every chart is drawn."""

from __future__ import annotations

import re
import time
from urllib.parse import urlsplit

import httpx

DRAWN = """(() => {
    const charts = [...document.querySelectorAll('.dashboard-component-chart-holder')];
    return charts.map(chart => ({
        title: chart.querySelector('[data-test="slice-header"]')?.innerText.trim().split('\\n')[0],  // then how many filters act on it
        waits: !!chart.querySelector('.loading, [data-test="loading-indicator"]') || !chart.querySelector('.slice_container'),
        drawn: !!chart.querySelector('canvas, table tbody tr, .header-line'),
        empty: chart.innerText.includes('No results were returned'),
        figure: chart.querySelector('.header-line')?.innerText.trim(),
        text: chart.innerText,
    }));
})()"""


def log_in(page, address, password):
    """Give the browser the session of a person who logged in."""
    with httpx.Client(base_url=address, trust_env=False, follow_redirects=True) as client:
        form = client.get("/login/").text
        token = re.search(r'csrf_token(?:&#34;|&quot;|")[^>]*?(?:value="|: ?(?:&#34;|&quot;|"))([\w.-]+)', form)[1]
        client.post("/login/", data={"username": "crw", "password": password, "csrf_token": token})
        assert client.get("/api/v1/me/").status_code == 200
        session = client.cookies["session"]
    page.call("Network.setCookie", name="session", value=session, url=address)


def charts_of(page, address, slug, query="", patience=120):
    """Each chart of a dashboard once all are drawn, or what there is after `patience` seconds."""
    page.open(f"{address}/superset/dashboard/{slug}/?standalone=2{query}", width=1400)
    page.call("Emulation.setDeviceMetricsOverride", width=1400, height=3600, deviceScaleFactor=1, mobile=False)
    deadline = time.monotonic() + patience
    while True:
        charts = page.evaluate(DRAWN)
        if (
            charts and all((chart["drawn"] or chart["empty"]) and not chart["waits"] for chart in charts)
        ) or time.monotonic() > deadline:
            return charts
        time.sleep(0.5)


def is_of(address, requested):
    """Whether what was asked for is on this machine."""
    return urlsplit(requested).netloc in ("", urlsplit(address).netloc)
