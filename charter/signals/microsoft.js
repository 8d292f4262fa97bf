(granted, isFirst) => { (window.uetq ||= []).push("consent", isFirst ? "default" : "update", granted); }
