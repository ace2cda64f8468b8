// Package javascript runs the small functions that commands bring along:
// mapReduce, $where, $function. It is an interpreter of the part of JavaScript
// that such functions are written in: variables, functions and arrows, if, for
// and while, return and throw, the operators, objects, arrays and strings with
// their most used methods, Math, emit and sleep. There are no classes,
// generators, regular expressions or dates.
//
// Numbers are doubles. BSON values that JavaScript has no type for are carried
// through unchanged.
package javascript
