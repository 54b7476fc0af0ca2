"use strict";
// Entry point of a pruned copy of a jsii package. A submodule's JavaScript runs when its first type is asked
// for. A submodule that is not in this copy is looked for in the copies that were loaded later: jsii puts
// them beside this one, in node_modules/@holdfast, and keeps asking this one.
const fs = require("fs");
const path = require("path");

const directories = /* submodule: its directory */ {};
const laterCopies = path.resolve(__dirname, ...PACKAGE_DEPTH, "@holdfast");
const theirNames = /* what their names begin with */ "";

function fromLaterCopy(name) {
  const copies = fs.existsSync(laterCopies) ? fs.readdirSync(laterCopies) : [];
  for (const copy of copies.filter((name) => name.startsWith(theirNames))) {
    const later = require(path.join(laterCopies, copy));
    if (name in later) return later[name];
  }
  return undefined;
}

module.exports = new Proxy({}, {
  has: (_, name) => Object.hasOwn(directories, name),
  get(loaded, name) {
    if (typeof name !== "string") return undefined;
    loaded[name] ??= Object.hasOwn(directories, name) ? require(directories[name]) : fromLaterCopy(name);
    return loaded[name];
  },
});
