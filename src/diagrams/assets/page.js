// Script of the diagram page: pans and zooms by the viewBox, searches nodes, shows their attempts and definitions.
(() => {
  const byId = (id) => document.getElementById(id);
  const stage = byId('stage');
  const svg = stage.querySelector('svg');
  const search = byId('search');
  const nodes = JSON.parse(byId('nodes').textContent);
  const nodesByKey = new Map(nodes.map((node) => [node.key, node]));
  const { width, height } = svg.viewBox.baseVal;
  let view = { x: 0, y: 0, width, height };
  let found = [];
  let shown = -1;
  // Screen pixels per drawing pixel: the smallest readable scale, and the largest allowed.
  const LEGIBLE_SCALE = 0.25;
  const MAX_SCALE = 16;
  const UNFINISHED = ['active', 'retrying', 'held', 'waiting', 'queued'].map((status) => `.jj-${status}`).join();

  svg.removeAttribute('width');
  svg.removeAttribute('height');

  function setView(next) {
    view = next;
    svg.setAttribute('viewBox', `${view.x} ${view.y} ${view.width} ${view.height}`);
  }

  // Screen pixels per drawing pixel.
  function scale() {
    return Math.min(svg.clientWidth / view.width, svg.clientHeight / view.height) || 1;
  }

  function pointAt(clientX, clientY) {
    const point = new DOMPoint(clientX, clientY).matrixTransform(svg.getScreenCTM().inverse());
    return { x: point.x, y: point.y };
  }

  function zoom(factor, at = { x: view.x + view.width / 2, y: view.y + view.height / 2 }) {
    const now = scale();
    const whole = Math.min(svg.clientWidth / width, svg.clientHeight / height);
    const size = now / Math.min(Math.max(now / factor, whole / 8), MAX_SCALE);
    setView({
      x: at.x - (at.x - view.x) * size,
      y: at.y - (at.y - view.y) * size,
      width: view.width * size,
      height: view.height * size,
    });
  }

  function move(dx, dy) {
    setView({ ...view, x: view.x + dx, y: view.y + dy });
  }

  function fit() {
    setView({ x: 0, y: 0, width, height });
  }

  function goTo(element) {
    const box = element.getBoundingClientRect();
    const middle = pointAt(box.x + box.width / 2, box.y + box.height / 2);
    // At least one screen pixel per drawing pixel, so that the node is readable.
    const size = Math.min(1, scale());
    const [w, h] = [view.width * size, view.height * size];
    setView({ x: middle.x - w / 2, y: middle.y - h / 2, width: w, height: h });
  }

  // A diagram too large to be readable as a whole opens at an unfinished node, a failed one, or the start.
  function showInitial() {
    if (scale() >= LEGIBLE_SCALE) return;
    const [first] = [UNFINISHED, '.jj-failed', '.jj-begin'].map((selector) => svg.querySelector(selector)).filter(Boolean);
    if (first === undefined) return;
    goTo(first);
    setView({ ...view, y: Math.max(0, Math.min(view.y, height - view.height)) });
  }

  function element(name, text) {
    const made = document.createElement(name);
    made.textContent = text;
    return made;
  }

  function sectionElement({ title, failed, fields }) {
    const section = document.createElement('section');
    section.classList.toggle('failed', failed);
    const list = document.createElement('dl');
    for (const { label, text } of fields) {
      const value = document.createElement('dd');
      value.append(element('pre', text));
      list.append(element('dt', label), value);
    }
    section.append(element('h3', title), list);
    return section;
  }

  function open(key) {
    const node = nodesByKey.get(key);
    if (node === undefined) return;
    for (const chosen of svg.querySelectorAll('.jj-chosen')) chosen.classList.remove('jj-chosen');
    byId(key).classList.add('jj-chosen');
    byId('name').textContent = node.name;
    byId('about').textContent = node.about;
    byId('sections').replaceChildren(...node.sections.map(sectionElement));
    byId('definition').textContent = node.definition;
    byId('panel').hidden = false;
  }

  function close() {
    byId('panel').hidden = true;
    for (const chosen of svg.querySelectorAll('.jj-chosen')) chosen.classList.remove('jj-chosen');
  }

  function find() {
    const text = search.value.trim().toLowerCase();
    found = text === '' ? [] : nodes.filter(({ name, about }) => `${name}\n${about}`.toLowerCase().includes(text));
    shown = -1;
    stage.classList.toggle('searching', text !== '');
    for (const { key } of nodes)
      byId(key).classList.toggle(
        'jj-found',
        found.some((node) => node.key === key),
      );
    byId('found').textContent = text === '' ? '' : found.length === 0 ? 'none' : `${found.length} found`;
  }

  function showNext(step) {
    if (found.length === 0) return;
    shown = (shown + step + found.length) % found.length;
    const { key } = found[shown];
    byId('found').textContent = `${shown + 1} of ${found.length}`;
    // The panel first, since it reduces the space of the drawing.
    open(key);
    goTo(byId(key));
  }

  for (const { key, name } of nodes) {
    const element = byId(key);
    element.setAttribute('tabindex', '0');
    element.setAttribute('role', 'button');
    element.setAttribute('aria-label', name);
  }

  let drag = null;
  stage.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    drag = { x: event.clientX, y: event.clientY, moved: false };
  });
  stage.addEventListener('pointermove', (event) => {
    if (drag === null) return;
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!drag.moved && Math.hypot(dx, dy) < 4) return;
    if (!drag.moved) stage.setPointerCapture(event.pointerId);
    stage.classList.add('moving');
    move(-dx / scale(), -dy / scale());
    drag = { x: event.clientX, y: event.clientY, moved: true };
  });
  const drop = () => {
    stage.classList.remove('moving');
    // A click event follows, which must be ignored if the drawing was dragged.
    setTimeout(() => {
      drag = null;
    });
  };
  stage.addEventListener('pointerup', drop);
  stage.addEventListener('pointercancel', drop);
  stage.addEventListener('click', (event) => {
    const element = event.target.closest('.jj-node');
    if (element !== null && drag?.moved !== true) open(element.id);
  });
  stage.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      zoom(Math.exp(Math.max(-100, Math.min(100, event.deltaY)) / 300), pointAt(event.clientX, event.clientY));
    },
    { passive: false },
  );

  const KEYS = {
    '+': () => zoom(0.8),
    '=': () => zoom(0.8),
    '-': () => zoom(1.25),
    0: fit,
    ArrowLeft: () => move(-60 / scale(), 0),
    ArrowRight: () => move(60 / scale(), 0),
    ArrowUp: () => move(0, -60 / scale()),
    ArrowDown: () => move(0, 60 / scale()),
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') {
      close();
      if (event.target === search) {
        search.value = '';
        find();
        stage.focus();
      }
      return;
    }
    if (event.target === search) {
      if (event.key === 'Enter') showNext(event.shiftKey ? -1 : 1);
      return;
    }
    if (event.key === '/') {
      event.preventDefault();
      search.focus();
      return;
    }
    const node = event.target.closest?.('.jj-node');
    if (node && (event.key === 'Enter' || event.key === ' ')) {
      event.preventDefault();
      open(node.id);
      return;
    }
    if (!stage.contains(event.target) && event.target !== document.body) return;
    const act = KEYS[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });

  search.addEventListener('input', find);
  byId('in').addEventListener('click', () => zoom(0.8));
  byId('out').addEventListener('click', () => zoom(1.25));
  byId('fit').addEventListener('click', fit);
  byId('close').addEventListener('click', close);
  showInitial();
})();
