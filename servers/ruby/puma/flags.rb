# frozen_string_literal: true

require "etc"

# The flags of the process contract, and the environment variables that stand for them.
module Flags
  NUMBER = ->(least, most) { ->(text) { Integer(text, 10).then { |n| n.between?(least, most) ? n : raise(ArgumentError) } } }
  SECONDS = ->(text) { Float(text).then { |n| n.positive? && n < 1e9 ? n : raise(ArgumentError) } }

  # Each flag with its default, the function that parses its text, and its description.
  KNOWN = {
    "host" => ["127.0.0.1", ->(text) { text }, "address or name to listen on"],
    "port" => ["8080", NUMBER[0, 65_535], "port to listen on; 0 takes a free one"],
    "workers" => [Etc.nprocessors.to_s, NUMBER[1, 1000], "processes that answer requests"],
    "head-timeout" => ["10", SECONDS, "time for a first head, in whole seconds"],
    "idle-timeout" => ["60", SECONDS, "time for a client to send the next request, in whole seconds"],
    "drain-timeout" => ["10", SECONDS, "time for open connections to finish after SIGTERM, in whole seconds"],
  }.freeze

  # Returns the values of the flags by name. For an invalid flag it prints one line and exits with 2.
  def self.read(arguments)
    given = parse(arguments.dup)
    return { "version" => true } if given["version"]

    KNOWN.to_h do |name, (default, read, _)|
      variable = name.tr("-", "_").upcase
      # An empty variable counts as unset.
      text = given[name] || ENV[variable].to_s
      [name, read.call(text.empty? && !given[name] ? default : text)]
    rescue ArgumentError
      fail("#{given[name] ? "--#{name}" : variable} #{text}: not a valid value")
    end
  end

  def self.parse(arguments)
    given = {}
    while (argument = arguments.shift)
      name, value = argument.delete_prefix("--").split("=", 2)
      help if argument == "--help"
      if argument == "--version"
        given["version"] = true
      elsif argument.start_with?("--") && KNOWN.key?(name)
        given[name] = value || arguments.shift || fail("#{argument}: a value is missing")
      else
        fail("unknown argument #{argument}")
      end
    end
    given
  end

  def self.help
    puts "The endpoint on Puma", ""
    KNOWN.each { |name, (default, _, about)| puts format("  --%-14s %s [default: %s]", name, about, default) }
    exit
  end

  def self.fail(message)
    warn "error: #{message}"
    exit 2
  end
end
