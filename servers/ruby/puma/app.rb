# frozen_string_literal: true

require "time"

# The endpoint as a Rack application.
module App
  BODY_LIMIT = 1024 * 1024 # bytes
  TYPE = "text/plain; charset=utf-8"

  def self.call(env)
    case env["REQUEST_METHOD"]
    when "GET", "HEAD"
      body = "Hello, visitor! You've requested: #{env["PATH_INFO"]}\n"
      [200, { "Content-Type" => TYPE, "Content-Length" => body.bytesize.to_s, "Date" => date }, [body]]
    else
      # Puma has read the body by now.
      refused = env["rack.input"].size > BODY_LIMIT
      headers = { "Content-Length" => "0", "Date" => date }
      refused ? [413, headers, []] : [405, headers.merge("Allow" => "GET, HEAD"), []]
    end
  end

  # The value of the Date field, which Puma does not send.
  def self.date
    now = Time.now
    return @date if now.to_i == @second

    @second = now.to_i
    @date = now.httpdate
  end
end
