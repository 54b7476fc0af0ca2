#!/usr/bin/env bash
# Goes to ci/deploy.sh. Runs a deploy in a CI job: exec bash ci/deploy.sh holdfast deploy --env prod --yes
# Hands a cancel on to Holdfast, and says what the exit code means for the job. `exec`, since a CI may signal
# only the first shell.
set -u
set -m # otherwise bash has what it starts with `&` ignore SIGINT, and Terraform would inherit that

"$@" &
deploy=$!

trap 'signalled=yes; kill -TERM "$deploy" 2> /dev/null' INT TERM
while
  signalled=
  wait "$deploy"
  code=$?
  [ -n "$signalled" ] # then the signal ended the wait, and the deploy still works
do :; done

say() { # a line of the log; on GitHub also an annotation of the run
  if [ "${GITHUB_ACTIONS:-}" = true ]; then echo "::$1::$2"; else echo "$1: $2"; fi
}

case "$code" in
  0) ;;
  4) say error "Stopped before anything changed: somebody has to agree (--approve, --allow-destroy) or to look." ;;
  5) say warning "Failed, and the last good version runs: correct it and deploy again. It can wait until morning." ;;
  6) say error "Halfway: a person has to decide, see the commands above." ;; # the call of your pager goes here
  7) say warning "Somebody else is at work on it: run this job again later." ;;
  130) say warning "Cancelled in good order." ;;
  *) say error "Failed with exit code $code: see the log above." ;;
esac
exit "$code"
