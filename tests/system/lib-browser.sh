# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# lib-browser.sh: a browser for tests and pictures of the page at $base. It is driven over a pipe: messages in JSON, each with a zero byte
# behind it. To be sourced after lib.sh, when $chromium names the program.

mkfifo "$T/to" "$T/from"
exec {browser_in}<>"$T/to" {browser_out}<>"$T/from"
start_browser()
{
	exec 3<"$T/to" 4>"$T/from"
	exec "$chromium" --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --mute-audio \
		--user-data-dir="$T/browser" --remote-debugging-pipe about:blank
}
nothing='{}'
message=0
session=

# cdp METHOD [PARAMS]: its result.
cdp()
{
	local reply
	message=$((message + 1))
	jq -jcn --argjson id $message --arg m "$1" --argjson p "${2:-$nothing}" --arg s "$session" \
		'{id: $id, method: $m, params: $p} + (if $s == "" then {} else {sessionId: $s} end)' >&"$browser_in"
	printf '\0' >&"$browser_in"
	while IFS= read -r -d '' -t 60 -u "$browser_out" reply; do
		[[ $reply == "{\"id\":$message,"* ]] || continue
		jq -c '.result // .error' <<<"$reply"
		return
	done
	return 1
}

# Variables that cdp changes must stay in this shell.
call()
{
	cdp "$@" >"$T/reply.json"
}

# js EXPRESSION: its value, waited for.
js()
{
	call Runtime.evaluate "$(jq -cn --arg e "$1" '{expression: $e, awaitPromise: true, returnByValue: true}')"
	jq -r 'if .exceptionDetails then "exception: " + (.exceptionDetails.exception.description // .exceptionDetails.text) else .result.value end' "$T/reply.json"
}

js_is()
{
	[ "$(js "$1")" = "$2" ]
}

key()
{
	call Input.dispatchKeyEvent "$(jq -cn --arg k "$1" --arg t "${2:-}" '{type: "keyDown", key: $k, code: $k} + (if $t == "" then {} else {text: $t} end)')"
	call Input.dispatchKeyEvent "$(jq -cn --arg k "$1" '{type: "keyUp", key: $k, code: $k}')"
}

# size WIDTH HEIGHT [MOBILE: true or false]
size()
{
	call Emulation.setDeviceMetricsOverride "{\"width\":$1,\"height\":$2,\"deviceScaleFactor\":1,\"mobile\":${3:-false}}"
}

visit()
{
	call Page.navigate "{\"url\":\"$base$1\"}"
	wait_until js_is 'document.documentElement.dataset.ready ?? ""' yes
}

# picture FILE: as it is on the screen, as PNG, without the bars that scroll it.
picture()
{
	call Emulation.setScrollbarsHidden '{"hidden":true}'
	call Page.captureScreenshot '{"format":"png"}'
	jq -r .data "$T/reply.json" | base64 -d >"$1"
}

# theme light|dark
theme()
{
	call Emulation.setEmulatedMedia "{\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\"$1\"}]}"
}

# open_browser: an empty page that can be visited.
open_browser()
{
	local target
	export HOME="$T"
	start_process "$T/chromium.log" start_browser
	call Target.createTarget '{"url":"about:blank"}'
	target=$(jq -r .targetId "$T/reply.json")
	call Target.attachToTarget "{\"targetId\":\"$target\",\"flatten\":true}"
	session=$(jq -r .sessionId "$T/reply.json")
	[ -n "$session" ] && [ "$session" != null ] && call Page.enable
}
