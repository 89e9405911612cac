// ES5; without it the page works by forms.
(function (d, w) {
  var app = $('list'), text = $('text'), seat = app.dataset.seat, tag = app.dataset.tag
  var mine = 'xiaoge:' + app.dataset.key, queue = load('queue', []), files = {}, busy, live, timer

  function $(id) { return d.getElementById(id) }
  function load(key, other) {
    try { return JSON.parse(localStorage[mine + key]) || other } catch (e) { return other }
  }
  function save(key, value) {
    try { localStorage[mine + key] = JSON.stringify(value) } catch (e) { }
  }
  function newId() { return Date.now().toString(36) + '-' + Math.random().toString(36).slice(2) + '-x' }
  function url(path, more) { return app.dataset.base + '/chat/' + path + '?' + (seat ? 'seat=' + seat + '&' : '') + more }
  function call(method, to, body, done) {
    var x = new XMLHttpRequest()
    x.open(method, to)
    x.timeout = 60000
    x.setRequestHeader('Accept', 'application/json')
    if (typeof body == 'string') x.setRequestHeader('Content-Type', 'application/json')
    x.onload = x.onerror = x.ontimeout = function () {
      var data = {}
      try { data = JSON.parse(x.responseText) } catch (e) { }
      done(x.status, data)
    }
    x.send(body)
  }
  function atEnd() { return app.scrollHeight - app.scrollTop - app.clientHeight < 90 }
  function down() { app.scrollTop = app.scrollHeight }

  function bubble(id, words, file) {
    if ($('i' + id)) return
    app.insertAdjacentHTML('beforeend', '<div class="b me" id="i' + id + '"><p></p><small class=state></small></div>')
    var p = app.lastChild.firstChild
    p.textContent = words
    if (file && w.URL) p.appendChild(d.createElement('img')).src = URL.createObjectURL(file)
    mark(id, '发送中')
    down()
  }
  function mark(id, words, bad) {
    var s = $('i' + id) && $('i' + id).querySelector('.state')
    if (!s) return
    s.className = bad ? 'state bad' : 'state'
    s.textContent = words
  }
  // Whether it is done with.
  function settle(id, status, data) {
    var fine = status == 200
    mark(id, fine ? '已送达' : data.message || '未送达，点此重发', !fine)
    if (fine) look(2)
    return fine || status > 399 && status < 500 && status != 401
  }
  function say(item, words) {
    item.id = newId()
    item.words = words
    save('queue', queue = queue.concat(item))
    bubble(item.id, words)
    pump()
  }
  function pump() {
    var item = queue[0]
    clearTimeout(timer)
    if (busy || !item) return
    busy = true
    mark(item.id, '发送中')
    call('POST', url('send', ''), JSON.stringify(item), function (status, data) {
      busy = false
      if (!settle(item.id, status, data)) return timer = setTimeout(pump, 5000)
      save('queue', queue = queue.slice(1))
      pump()
    })
  }
  function upload(id) {
    var data = new FormData()
    data.append('id', id)
    data.append(files[id].as, files[id])
    mark(id, '发送中')
    call('POST', url(files[id].as, ''), data, function (status, answer) { settle(id, status, answer) })
  }

  // What is new.
  function take(data) {
    var end = atEnd(), last, known = !data.more
    if (data.tag == tag) return
    tag = data.tag
    data.items.forEach(function (item) {
      var old = $(item.id)
      if (!old) (last || app).insertAdjacentHTML(last ? 'afterend' : 'beforeend', item.html)
      else if (old.dataset.v != item.v) old.outerHTML = item.html
      known = known || old
      last = $(item.id)
    })
    if (!known) location.reload()
    if (end) down()
  }
  function look(wait, then) {
    call('GET', url('updates', 'after=' + tag + '&wait=' + wait), null, function (status, data) {
      if (data.items) take(data)
      if (then) then(status == 200)
    })
  }
  function poll(turn) {
    if (live == turn) look(seat ? 0 : 20, function (fine) {
      setTimeout(function () { poll(turn) }, !fine ? 5000 : seat ? 1500 : 100)
    })
  }
  function listen() {
    if (live && live.close) live.close()
    live = d.hidden ? 0 : !seat && w.EventSource ? new EventSource(url('events', 'after=' + tag)) : {}
    live.onmessage = function (e) { take(JSON.parse(e.data)) }
    live.onerror = function () { if (this.readyState == 2) poll(live = {}) }
    if (live && !live.close) poll(live)
  }

  // What one does.
  $('form').addEventListener('submit', function (e) {
    var words = text.value.trim()
    e.preventDefault()
    save('draft', text.value = '')
    if (words) say({ text: words }, words)
  })
  d.addEventListener('click', function (e) {
    var t = e.target, id = String(t.parentNode && t.parentNode.id).slice(1)
    if (t.name == 'pressed') say({ pressed: t.value }, t.dataset.words)
    else if (t.name == 'quick') say({ text: t.value }, t.value)
    else if (t.className == 'state bad') files[id] ? upload(id) : pump()
    else if (t.id == 'where') navigator.geolocation.getCurrentPosition(function (at) {
      say({ lat: at.coords.latitude, lon: at.coords.longitude }, '我的位置')
    }, function () { alert('没有拿到位置，请用文字说。') })
    else return
    e.preventDefault()
  })
  d.addEventListener('change', function (e) {
    var file = (e.target.files || [])[0], id = newId()
    if (!file) return
    files[id] = file
    file.as = e.target.name
    if (file.as == 'file') bubble(id, file.name)
    else bubble(id, '', file)
    upload(id)
    e.target.value = ''
  })
  text.addEventListener('input', function () { save('draft', text.value) })
  app.addEventListener('scroll', function () { save('place', atEnd() ? -1 : app.scrollTop) })
  d.addEventListener('visibilitychange', listen)
  w.addEventListener('online', function () { pump(); look(0) })

  $('where').hidden = !navigator.geolocation || w.isSecureContext == false
  d.body.className += ' js'
  text.value = text.value || load('draft', '')
  queue.forEach(function (item) { bubble(item.id, item.words) })
  if (load('place', -1) < 0) down(); else app.scrollTop = load('place', 0)
  listen()
  pump()
})(document, window)
