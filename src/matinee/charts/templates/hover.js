(function () {
  "use strict";
  var tip = document.createElement("div");
  tip.className = "tip"; tip.hidden = true;
  document.body.appendChild(tip);
  function number(v) { return Math.abs(v) >= 1000 || Number.isInteger(v) ? v.toLocaleString("en") : Number(v.toPrecision(4)).toString(); }
  function fixed(v) { return (v / 1e4).toFixed(4).replace("-", "\u2212"); }
  document.querySelectorAll("figure .plot").forEach(function (plot) {
    var svg = plot.querySelector("svg");
    var data = JSON.parse(plot.querySelector("script").textContent);
    var marks = Array.prototype.slice.call(svg.querySelectorAll("[data-tip]"));
    var lines = data.x && data.x.length, count = lines ? data.x.length : marks.length;
    if (!count) { return; }
    // A native tooltip would stand beside ours.
    svg.querySelectorAll("title").forEach(function (t) { t.remove(); });
    var box = svg.viewBox.baseVal, at = -1;
    var cursor = document.createElement("div");
    cursor.className = "cursor"; cursor.tabIndex = 0;
    cursor.setAttribute("role", "slider");
    cursor.setAttribute("aria-label", plot.parentNode.querySelector("figcaption strong").textContent + ": values, by arrow keys");
    cursor.setAttribute("aria-valuemin", 1); cursor.setAttribute("aria-valuemax", count);
    var rule = document.createElement("i"); cursor.appendChild(rule);
    plot.appendChild(cursor);
    var frame = (svg.dataset.plot || "0 0 0 0").split(" ").map(Number);
    var domain = (svg.dataset.x || "0 1 0").split(" ").map(Number);
    function place(v) {
      var log = domain[2] === 1, f = log ? Math.log : function (z) { return z; };
      return frame[0] + (f(v) - f(domain[0])) / (f(domain[1]) - f(domain[0])) * (frame[1] - frame[0]);
    }
    function centre(mark) {
      var all = mark.querySelectorAll(".dot,.hollow,.cell,rect");
      var r = (all.length ? all[0] : mark).getBoundingClientRect();
      return [r.left + r.width / 2, r.top + r.height / 2];
    }
    function rows(i) {
      return data.series.filter(function (s) { return s.y[i] !== null; }).map(function (s) {
        var y = s.y[i], within = s.up && s.up[i] !== null ? " (" + fixed(y - s.down[i]) + " to " + fixed(y + s.up[i]) + ")" : "";
        return [s.name, fixed(y) + within, y];
      }).sort(function (a, b) { return a[2] - b[2]; });
    }
    function show(i) {
      at = Math.max(0, Math.min(count - 1, i));
      var outer = svg.getBoundingClientRect(), scale = outer.width / box.width, x, y;
      tip.textContent = "";
      marks.forEach(function (m, j) { m.classList.toggle("on", !lines && j === at); });
      var spoken;
      if (lines) {
        var head = document.createElement("b"), table = document.createElement("table");
        head.textContent = data.x_title + " " + number(data.x[at]);
        tip.appendChild(head);
        rows(at).forEach(function (row) {
          var tr = table.insertRow();
          tr.insertCell().textContent = row[0]; tr.insertCell().textContent = row[1];
        });
        tip.appendChild(table);
        spoken = head.textContent + ": " + rows(at).map(function (r) { return r[0] + " " + r[1]; }).join("; ");
        rule.style.display = "block";
        rule.style.left = place(data.x[at]) * scale + "px";
        rule.style.top = frame[2] * scale + "px"; rule.style.height = (frame[3] - frame[2]) * scale + "px";
        x = outer.left + place(data.x[at]) * scale; y = outer.top + frame[2] * scale;
      } else {
        var c = centre(marks[at]); x = c[0]; y = c[1] + 8;
        spoken = marks[at].dataset.tip; tip.textContent = spoken;
      }
      cursor.setAttribute("aria-valuenow", at + 1); cursor.setAttribute("aria-valuetext", spoken);
      tip.hidden = false;
      var w = tip.offsetWidth, left = x + 14;
      if (left + w > document.documentElement.clientWidth - 8) { left = Math.max(8, x - w - 14); }
      tip.style.left = left + window.scrollX + "px"; tip.style.top = y + window.scrollY + "px";
    }
    function hide() {
      tip.hidden = true; rule.style.display = "none";
      marks.forEach(function (m) { m.classList.remove("on"); });
    }
    function nearest(px, py) {
      var best = 0, least = Infinity, outer = svg.getBoundingClientRect(), scale = outer.width / box.width;
      for (var i = 0; i < count; i++) {
        var d;
        if (lines) { d = Math.abs(outer.left + place(data.x[i]) * scale - px); }
        else { var c = centre(marks[i]); d = Math.hypot(c[0] - px, (c[1] - py) * 1.5); }
        if (d < least) { least = d; best = i; }
      }
      return best;
    }
    cursor.setAttribute("aria-valuenow", 1);
    cursor.setAttribute("aria-valuetext", lines ? data.x_title + " " + number(data.x[0]) : marks[0].dataset.tip);
    cursor.addEventListener("pointermove", function (e) { show(nearest(e.clientX, e.clientY)); });
    cursor.addEventListener("pointerdown", function (e) { show(nearest(e.clientX, e.clientY)); });
    cursor.addEventListener("pointerleave", hide);
    cursor.addEventListener("focus", function () { if (cursor.matches(":focus-visible")) { show(at < 0 ? (lines ? count - 1 : 0) : at); } });
    cursor.addEventListener("blur", hide);
    cursor.addEventListener("keydown", function (e) {
      var step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[e.key];
      if (step) { show(at + step); } else if (e.key === "Home") { show(0); } else if (e.key === "End") { show(count - 1); }
      else if (e.key === "Escape") { hide(); return; } else { return; }
      e.preventDefault();
    });
  });
})();
