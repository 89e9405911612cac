// The demo page's script: moves the clock without loading the panes anew, and puts example words into a pane.
(function (d) {
  d.body.className += ' js'

  function $(id) { return d.getElementById(id) }

  $('clock').addEventListener('click', function (e) {
    var button = e.target.closest('button'), data = new FormData()
    if (!button) return
    e.preventDefault()
    button.disabled = true
    data.append('minutes', button.value)
    call('POST', data, function () { button.disabled = false })
  })

  function call(method, data, then) {
    var x = new XMLHttpRequest()
    x.open(method, $('clock').getAttribute('action'))
    x.setRequestHeader('Accept', 'application/json')
    x.onload = x.onerror = function () {
      then()
      if (x.status !== 200) return
      var answer = JSON.parse(x.responseText)
      $('now').textContent = answer.now
      $('due').textContent = answer.due
    }
    x.send(data)
  }

  setInterval(function () { if (!d.hidden) call('GET', null, function () { }) }, 4000)

  d.addEventListener('click', function (e) {
    var words = e.target.getAttribute('data-words'), pane = d.querySelector('iframe'), text
    if (!words || !pane) return
    text = pane.contentDocument.getElementById('text')
    text.value = words
    text.focus()
  })

  $('who').addEventListener('change', function (e) {
    if (d.querySelectorAll('#who :checked').length > 4) e.target.checked = false
    else $('who').submit()
  })

  if (d.documentElement.clientWidth < 900) [].forEach.call(d.querySelectorAll('details'), function (one) { one.open = false })
})(document)
