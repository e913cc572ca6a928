'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const zh = data.lang !== 'en';
  const say = (a, b) => zh ? a : b;
  const root = document.documentElement;
  const color = name => getComputedStyle(root).getPropertyValue(name).trim();
  const amount = text => {
    const [whole, decimals] = text.split('.');
    return whole.replace(/\B(?=(\d{3})+$)/g, ',') + (decimals ? '.' + decimals : '');
  };
  const width = text => [...text].reduce((sum, c) => sum + (c > '\u2e7f' ? 2 : 1), 0); // Chinese is twice as wide
  const short = text => { // a label beside a bar
    const most = innerWidth < 700 ? 24 : 34;
    if (width(text) <= most) return text;
    let kept = '';
    for (const c of text) {
      if (width(kept + c) >= most) break;
      kept += c;
    }
    return kept + '…';
  };

  // Charts. They are drawn again when the colours change.
  let charts = [];
  const draw = () => {
    charts.forEach(c => c.destroy());
    charts = [];
    const D = Chart.defaults;
    D.font.family = getComputedStyle(document.body).fontFamily;
    D.font.size = 12;
    D.color = color('--soft');
    D.borderColor = color('--line');
    D.animation = false;
    D.maintainAspectRatio = false;
    D.plugins.legend.labels.boxWidth = 12;
    const bars = { borderRadius: 4, maxBarThickness: 26 };
    const add = (id, config) => {
      const at = document.getElementById('chart-' + id);
      if (at) charts.push(new Chart(at, config));
    };
    const byStatus = {
      matched: '--c-matched', amount_mismatch: '--c-warn', status_mismatch: '--c-status',
      bill_only: '--c-claim', pos_only: '--c-error', pending: '--c-pending',
    };
    const money = of => item => ' ' + amount(of(item)) + say(' 元', '');
    const narrow = innerWidth < 700;
    if (data.matched) add('matched', {
      type: 'doughnut',
      data: {
        labels: data.matched.map(p => p.name),
        datasets: [{ data: data.matched.map(p => +p.amount), backgroundColor: data.matched.map(p => color(byStatus[p.kind])), borderColor: color('--card'), borderWidth: 2 }],
      },
      options: {
        cutout: '62%',
        plugins: {
          legend: {
            position: narrow ? 'bottom' : 'right',
            labels: { generateLabels: chart => data.matched.map((p, i) => ({
              text: p.name + '  ' + amount(p.amount), fillStyle: color(byStatus[p.kind]), lineWidth: 0, index: i,
              fontColor: color('--ink'), hidden: !chart.getDataVisibility(i),
            })) },
          },
          tooltip: { callbacks: { label: item => money(i => data.matched[i.dataIndex].amount)(item) + say('，', ', ') + data.matched[item.dataIndex].count + say(' 笔', ' trades') } },
        },
      },
    });
    const across = (points, fills, extra) => ({
      type: 'bar',
      data: { labels: points.map(p => p.name), datasets: [{ data: points.map(p => +p.amount), backgroundColor: fills, ...bars }] },
      options: {
        indexAxis: 'y',
        scales: { x: { beginAtZero: true, ticks: { maxTicksLimit: 5 } }, y: { grid: { display: false }, ticks: { autoSkip: false, callback: (v, i) => short(points[i].name), color: color('--ink') } } },
        plugins: { legend: { display: false }, tooltip: { callbacks: { label: item => money(i => points[i.dataIndex].amount)(item) + say('，', ', ') + points[item.dataIndex].count + extra } } },
      },
    });
    if (data.kinds) add('kinds', across(data.kinds, data.kinds.map(p => color(p.kind === 'error' ? '--c-error' : '--c-warn')), say(' 条', ' breaks')));
    if (data.causes) add('causes', across(data.causes, data.causes.map(p => color(p.kind === 'lost' ? '--c-error' : '--c-claim')), say(' 笔', ' trades')));
    if (data.hours) add('hours', {
      type: 'bar',
      data: {
        labels: data.hours.map(h => h.hour + ':00'),
        datasets: [
          { label: say('错误', 'errors'), data: data.hours.map(h => h.error), backgroundColor: color('--c-error'), ...bars },
          { label: say('警告', 'warnings'), data: data.hours.map(h => h.warn), backgroundColor: color('--c-warn'), ...bars },
        ],
      },
      options: {
        scales: { x: { stacked: true, grid: { display: false } }, y: { stacked: true, beginAtZero: true, ticks: { precision: 0, maxTicksLimit: 6 } } },
        plugins: { legend: { position: 'bottom' } }, interaction: { mode: 'index' },
      },
    });
    if (data.stores) add('stores', {
      type: 'bar',
      data: {
        labels: data.stores.map(s => s.name),
        datasets: [
          { label: say('不可申诉', 'lost'), data: data.stores.map(s => Math.max(0, +s.lost)), backgroundColor: color('--c-error'), ...bars },
          { label: say('可申诉', 'claimable'), data: data.stores.map(s => Math.max(0, +s.claim)), backgroundColor: color('--c-claim'), ...bars },
        ],
      },
      options: {
        indexAxis: 'y',
        scales: { x: { stacked: true, beginAtZero: true, ticks: { maxTicksLimit: 5 } }, y: { stacked: true, grid: { display: false }, ticks: { autoSkip: false, color: color('--ink'), callback: (v, i) => short(data.stores[i].name) } } },
        plugins: { legend: { position: 'bottom' }, tooltip: { callbacks: { label: item => ' ' + item.dataset.label + ' ' + amount(data.stores[item.dataIndex][item.datasetIndex ? 'claim' : 'lost']) } } },
        interaction: { mode: 'index', axis: 'y' },
      },
    });
  };
  draw();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  addEventListener('beforeprint', () => { root.classList.add('printing'); draw(); });
  addEventListener('afterprint', () => { root.classList.remove('printing'); draw(); });

  // Tables that sort by the column that is chosen; numbers by data-key.
  const key = (row, i) => {
    const cell = row.cells[i];
    return cell.dataset.key !== undefined ? +cell.dataset.key : cell.classList.contains('n') ? +cell.textContent.replace(/,/g, '') || 0 : cell.textContent.trim();
  };
  for (const table of document.querySelectorAll('table.sortable')) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, i) => {
      head.tabIndex = 0;
      const sort = () => {
        const numbers = head.classList.contains('n');
        const before = head.getAttribute('aria-sort');
        const down = before ? before === 'ascending' : numbers;
        heads.forEach(h => h.removeAttribute('aria-sort'));
        head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        const rows = [...table.tBodies[0].rows].map((row, at) => [key(row, i), at, row]);
        rows.sort((a, b) => {
          const c = numbers ? a[0] - b[0] : a[0].localeCompare(b[0], zh ? 'zh-CN' : 'en', { numeric: true });
          return (down ? -c : c) || a[1] - b[1];
        });
        table.tBodies[0].append(...rows.map(r => r[2]));
      };
      head.addEventListener('click', sort);
      head.addEventListener('keydown', e => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); sort(); } });
    });
  }

  // The search: every word must occur, in any cell.
  const search = document.getElementById('search');
  if (!search) return;
  const code = document.getElementById('code');
  const rows = [...document.getElementById('table-breaks').tBodies[0].rows];
  const texts = rows.map(r => (r.textContent + ' ' + r.id + ' ' + r.dataset.code).toLowerCase());
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(w => w);
    let shown = 0;
    rows.forEach((row, i) => {
      const ok = (!code.value || row.dataset.code === code.value) && words.every(w => texts[i].includes(w));
      row.hidden = !ok;
      if (ok) shown++;
    });
    document.getElementById('shown').textContent = shown;
    document.getElementById('nothing').hidden = shown > 0;
  };
  search.addEventListener('input', filter);
  code.addEventListener('change', filter);
  search.form.addEventListener('submit', e => e.preventDefault());
  for (const link of document.querySelectorAll('a[data-code]')) {
    link.addEventListener('click', () => {
      const there = [...code.options].some(o => o.value === link.dataset.code);
      code.value = there ? link.dataset.code : '';
      search.value = '';
      filter();
    });
  }
})();
