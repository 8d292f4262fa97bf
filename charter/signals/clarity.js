// The queue is that of the tag's own code, which keeps one that is there.
granted => { (window.clarity ||= function () { (clarity.q ||= []).push(arguments); })("consentv2", granted); }
